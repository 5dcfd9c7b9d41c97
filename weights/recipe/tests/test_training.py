"""Trainings: they learn, resume exactly, average, and several processes do what one does."""

import copy
import gc
import json
import socket
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
import torch
import two_processes
from small import CPU, tiny_autoencoder, tiny_flow
from torch.overrides import TorchFunctionMode

from posed_recipe.autoencoder.trainer import AutoencoderTask, train_autoencoder
from posed_recipe.data.bank import PictureBank
from posed_recipe.data.pictures import read_pictures
from posed_recipe.errors import RecipeError
from posed_recipe.flow.rectify import RectifyOptions, RectifyTask, make_pairs
from posed_recipe.flow.refine import RefineOptions, RefineTask
from posed_recipe.flow.trainer import FLOWS, FlowTask, left_out, new_flow
from posed_recipe.latents import LatentStore
from posed_recipe.latents.precompute import fingerprint
from posed_recipe.options import from_json, to_json
from posed_recipe.rpfm import PRESETS
from posed_recipe.runs import describe_flow, read_flow
from posed_recipe.training import Budget, Deadline, PowerEMA, Trainer, TrainingOptions
from posed_recipe.training.graphs import WARM_UP, Graphed, Recorder
from posed_recipe.training.loop import adamw, optimizer_of
from posed_recipe.training.muon import hidden_weights, orthogonal
from posed_recipe.training.schedule import learning_rate_factor


class StopAfter(Deadline):
    """A call that ends after some steps, as if its time were up."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    @property
    def remaining(self):
        """Counts the questions."""
        self.steps -= 1
        return self.steps + 1


def losses(folder):
    """step: loss, as the journal has them."""
    rows = [json.loads(line) for line in (Path(folder) / "log.jsonl").read_text().splitlines()]
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


def flow_trainer(folder, latents, steps, deadline=None, options=None):
    options = options or tiny_flow()
    describe_flow(folder, options, latents.shape)
    return Trainer(folder, "flow", FlowTask(latents, options, CPU), Budget(steps=steps), options.training, CPU,
                   deadline)


def test_a_flow_learns_and_resumes_exactly(latents, tmp_path):
    whole = flow_trainer(tmp_path / "whole", latents, 12)
    assert whole.run()
    assert not flow_trainer(tmp_path / "parts", latents, 12, StopAfter(5)).run()
    assert len(losses(tmp_path / "parts")) == 5
    rest = flow_trainer(tmp_path / "parts", latents, 12)
    assert rest.step == 5 and rest.run()
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    for name, average in whole.ema.averages.items():
        assert torch.equal(average, rest.ema.averages[name])
    again, _ = whole.task.loss(whole.model, 0, 0.0)
    assert again.item() < losses(tmp_path / "whole")[0]


def test_steps_that_are_repeated_in_place_train_as_others_do(latents, tmp_path):
    options = tiny_flow(two_sources=0.5)
    recorded = []

    def record(run):
        """As a CUDA graph does it: the same memory each time."""
        kept = run()
        recorded.append(run)

        def repeat():
            loss, values, gradients = run()
            kept[0].copy_(loss)
            for old, new in zip(kept[2], gradients, strict=True):
                if old is not None:
                    old.copy_(new)
            return kept[0], values, kept[2]
        return repeat

    plain = flow_trainer(tmp_path / "plain", latents, 8, options=options)
    assert plain.run()
    graphed = flow_trainer(tmp_path / "graphed", latents, 8, options=options)
    graphed.graphed, graphed.model = True, Graphed(graphed.task.module, record)
    assert graphed.run()
    assert len(recorded) == 2  # with one source and with two
    assert losses(tmp_path / "graphed") == losses(tmp_path / "plain")
    for name, average in plain.ema.averages.items():
        assert torch.equal(average, graphed.ema.averages[name])


def test_refining_trains_and_may_be_repeated_in_place(latents, people, tiny_vae, tmp_path):
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    options = RefineOptions(groups=4, targets=2, pictures=0.5)
    options.training.precision, options.training.log_every = "f32", 1

    def refine(folder, graphed):
        flow_options = tiny_flow()
        task = RefineTask(latents, bank, tiny_vae, new_flow(flow_options, latents.shape), flow_options, options, CPU)
        trainer = Trainer(folder, "refine", task, Budget(steps=4), options.training, CPU)
        if graphed:
            trainer.graphed, trainer.model = True, Graphed(trainer.task.module, lambda run: run)
        assert trainer.run()
        return trainer

    plain, graphed = refine(tmp_path / "plain", False), refine(tmp_path / "graphed", True)
    assert losses(tmp_path / "graphed") == losses(tmp_path / "plain")
    assert len(graphed.model.recordings) == 1
    assert all(p.grad is None for p in plain.task.autoencoder.parameters())


class HostFree(TorchFunctionMode):
    """Refuses what makes the host wait for the device or copies to it: no CUDA graph can be recorded of that."""

    names = ("tensor", "as_tensor", "from_numpy", "item", "tolist", "cpu", "numpy", "nonzero", "masked_select", "__bool__",
             "__float__", "__int__")

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        name = getattr(function, "__name__", "")
        assert name not in self.names, name
        if name == "__getitem__":
            index = arguments[1] if isinstance(arguments[1], tuple) else (arguments[1],)
            assert not any(isinstance(i, torch.Tensor) and i.dtype == torch.bool for i in index)
        return function(*arguments, **(keywords or {}))


@pytest.mark.parametrize("kind", ["flow", "refine", "autoencoder"])
def test_what_a_graph_repeats_asks_the_host_for_nothing(latents, people, tiny_vae, kind):
    bank, options = PictureBank.of(read_pictures(people, (64, 64)), CPU.device), tiny_flow()
    flow = new_flow(options, latents.shape)
    task = {
        "flow": lambda: FlowTask(latents, options, CPU, flow),
        "refine": lambda: RefineTask(latents, bank, tiny_vae, flow, options, RefineOptions(groups=2), CPU),
        "autoencoder": lambda: AutoencoderTask(bank, tiny_autoencoder(), CPU),
    }[kind]()
    runs = []

    def record(run):
        run()  # what is made once is made now
        runs.append(run)
        return run

    task.loss(Graphed(task.module, record), 0, 0.0)
    with HostFree(), torch.autocast("cpu", torch.bfloat16):
        loss, _, gradients = runs[0]()
    assert torch.isfinite(loss) and any(gradient is not None for gradient in gradients)
    with HostFree(), pytest.raises(AssertionError, match="tensor"):
        torch.tensor([1.0])


def test_in_refining_all_weights_hear_of_their_errors_under_autocast(latents, people, tiny_vae):
    bank, options = PictureBank.of(read_pictures(people, (64, 64)), CPU.device), tiny_flow()
    flow = new_flow(options, latents.shape)
    task = RefineTask(latents, bank, tiny_vae, flow, options, RefineOptions(groups=2, dropout=0.0), CPU)
    assert task.training.precision == "bf16"
    task.loss(task.module, 0, 0.0)[0].backward()
    assert [name for name, p in flow.named_parameters() if p.grad is None] in (
        [], ["transformer.condition.null_condition"])


class FakeCuda:
    """Streams and graphs of which nothing is known but what is called."""

    def __init__(self, monkeypatch, fails):
        self.fails, self.stream, self.modes, self.collects = fails, "default", [], []
        monkeypatch.setattr(Recorder, "works", True)
        made = {
            "Stream": lambda: self, "stream": lambda stream: nullcontext(), "current_stream": lambda: self,
            "CUDAGraph": lambda: self, "graph": self.graph, "synchronize": lambda: None,
            "set_stream": lambda stream: setattr(self, "stream", "default")}
        for name, value in made.items():
            monkeypatch.setattr(torch.cuda, name, value)

    def wait_stream(self, stream):
        pass

    def pool(self):
        return "pool"

    def replay(self):
        self.modes.append("replay")

    @contextmanager
    def graph(self, graph, pool, stream, capture_error_mode):
        self.modes.append((pool, capture_error_mode))
        self.stream = "aside"
        self.collects.append(gc.isenabled())
        yield
        if self.fails:
            raise RuntimeError("no capture")
        self.stream = "default"


@pytest.mark.parametrize("fails", [False, True])
def test_what_cannot_be_recorded_runs_as_written(monkeypatch, capsys, fails):
    cuda, runs, recorder = FakeCuda(monkeypatch, fails), [], Recorder()
    repeats = [recorder(lambda: runs.append(0)) for _ in range(2)]
    assert cuda.stream == "default" and gc.isenabled() and not any(cuda.collects)
    assert len(runs) == (WARM_UP + 1) * (1 if fails else 2)
    for repeat in repeats:
        repeat()
    said = capsys.readouterr().err
    if fails:
        assert len(runs) == WARM_UP + 1 + 2 and "no capture" in said and "runs without" in said
    else:
        assert cuda.modes == [(None, "thread_local"), ("pool", "thread_local"), "replay", "replay"] and not said


def test_an_autoencoder_resumes_exactly(people, tmp_path):
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    options, budget = tiny_autoencoder(), Budget(steps=8)
    whole = train_autoencoder(bank, tmp_path / "whole", budget, options, CPU)
    assert train_autoencoder(bank, tmp_path / "parts", budget, options, CPU, StopAfter(3)) is None
    parts = train_autoencoder(bank, tmp_path / "parts", budget, options, CPU)
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    assert losses(tmp_path / "whole")[7] < losses(tmp_path / "whole")[0]
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, parts.state_dict()[name])


def test_rectification_starts_from_the_flow_and_resumes_exactly(latents, tmp_path):
    trainer = flow_trainer(tmp_path / "flow", latents, 3)
    assert trainer.run()
    options = RectifyOptions(pairs=8, chunk=2, solver="euler", nfe=2)
    options.training.precision, options.training.log_every = "f32", 1

    def rectify(folder, deadline=None):
        flow, flow_options = read_flow(tmp_path / "flow")
        pairs = make_pairs(flow, latents, folder / "pairs", options, flow_options, CPU)
        assert pairs.ends.shape == (4, 2, 4, 8, 8) and abs(pairs.ends).max() > 0
        task = RectifyTask(latents, pairs, flow, options, flow_options, CPU)
        return Trainer(folder, "rectify", task, Budget(steps=6), options.training, CPU, deadline).run()

    assert rectify(tmp_path / "whole")
    assert not rectify(tmp_path / "parts", StopAfter(2))
    assert rectify(tmp_path / "parts")
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


def test_pairs_go_on_where_they_stopped(latents, tmp_path):
    assert flow_trainer(tmp_path / "flow", latents, 1).run()
    flow, flow_options = read_flow(tmp_path / "flow")
    options = RectifyOptions(pairs=8, chunk=2, solver="euler", nfe=1)
    options.training.precision = "f32"
    whole = make_pairs(flow, latents, tmp_path / "whole", options, flow_options, CPU)
    assert make_pairs(flow, latents, tmp_path / "parts", options, flow_options, CPU, StopAfter(1)) is None
    parts = make_pairs(flow, latents, tmp_path / "parts", options, flow_options, CPU)
    assert (whole.ends == parts.ends).all() and (whole.numbers["target"] == parts.numbers["target"]).all()


def test_the_average_keeps_what_the_power_law_says():
    module = torch.nn.Linear(1, 1, bias=False)
    ema = PowerEMA(module, gamma=2.0)
    weights, expected = [3.0, -1.0, 4.0, 2.0], 0.0
    for step, weight in enumerate(weights):
        with torch.no_grad():
            module.weight.fill_(weight)
        ema.update(module, step)
        keep = (1 - 1 / (step + 1)) ** 3
        expected = keep * expected + (1 - keep) * weight
    assert ema.averages["weight"].item() == pytest.approx(expected, rel=1e-6)
    assert ema.copy_to(module).weight.item() == pytest.approx(expected, rel=1e-6)


def test_the_learning_rate_rises_stays_and_falls():
    factors = [learning_rate_factor(step, step / 100, 10, 0.4) for step in range(101)]
    assert factors[0] == pytest.approx(0.1) and factors[9:60] == [1.0] * 51
    assert factors[80] == pytest.approx(0.5) and factors[100] == 0


def test_vectors_are_not_decayed(latents):
    task = FlowTask(latents, tiny_flow(), CPU)
    optimizer = adamw(task.module, tiny_flow().training, CPU.device)
    decayed, free = (group["params"] for group in optimizer.param_groups)
    assert all(p.dim() >= 2 for p in decayed) and all(p.dim() < 2 for p in free)
    assert sum(map(len, (decayed, free))) == len(list(task.module.parameters()))


class Poisoned:
    """A task whose loss is not finite at some steps."""

    def __init__(self, at):
        self.module, self.at = torch.nn.Linear(1, 1), at

    def loss(self, model, step, progress):
        value = model(torch.ones(1, 1)).sum()
        return (value / 0 if step in self.at else value), {}


def test_a_step_without_finite_gradient_is_left_out(tmp_path):
    task = Poisoned({1})
    options = TrainingOptions(precision="f32", warmup_steps=1)
    trainer = Trainer(tmp_path, "poisoned", task, Budget(steps=4), options, CPU)
    before = copy.deepcopy(task.module.state_dict())
    trainer.advance(0.0)
    after = copy.deepcopy(task.module.state_dict())
    trainer.advance(0.0)
    assert not torch.equal(before["weight"], after["weight"])
    assert torch.equal(after["weight"], task.module.weight)
    assert trainer.run() and torch.isfinite(task.module.weight).all()


def test_endless_trouble_is_told(tmp_path):
    task = Poisoned(range(1000))
    trainer = Trainer(tmp_path, "poisoned", task, Budget(steps=999), TrainingOptions(precision="f32"), CPU)
    with pytest.raises(RecipeError, match="50 steps in a row"):
        trainer.run()


def test_two_processes_do_what_one_does(latents, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, two_processes.__file__, str(latents.folder), str(tmp_path / "two")]
    running = [
        subprocess.Popen(command, env={
            "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"})
        for rank in range(2)]
    two_processes.work(latents.folder, tmp_path / "one", CPU)
    assert [process.wait(120) for process in running] == [0, 0]
    one, two = (torch.load(tmp_path / name / "gradients.pt", weights_only=True) for name in ("one", "two"))
    for name, gradient in one.items():
        torch.testing.assert_close(gradient, two[name], rtol=1e-3, atol=1e-6, msg=name)
    assert (tmp_path / "two" / "checkpoint.pt").exists()


def test_a_store_in_files_gives_the_same_batches(latents):
    mapped = LatentStore(latents.folder, room=0)
    picks, variants = torch.tensor([3, 1, 30]), torch.tensor([0, 3, 2])
    for name in latents.arrays:
        variant = variants % latents.arrays[name].shape[1]
        assert torch.equal(latents.gather(name, picks, variant), mapped.gather(name, picks, variant))


def test_a_store_takes_no_more_room_than_there_is(latents):
    """On another device than the host's the largest arrays stay on the host."""
    sizes = sorted(array.nbytes for array in latents.arrays.values())
    streamed = LatentStore(latents.folder, "meta", room=sizes[0]).streamed
    assert sorted(streamed.values()) == sizes[1:]
    assert not LatentStore(latents.folder, "meta", room=sum(sizes)).streamed


def test_people_are_what_pairs_join(latents):
    people = latents.people()
    for i in range(len(latents)):
        mine = latents.neighbours[latents.offsets[i]:latents.offsets[i + 1]].numpy()
        assert (people[mine] == people[i]).all()
    assert len(set(people.tolist())) == 8


def test_people_left_out_are_validated_and_never_trained_on(latents, tmp_path):
    options = tiny_flow(validation=0.25)
    options.training.watch_minutes = 0.0
    apart = left_out(latents, 0.25)
    assert apart.sum() == 8  # two of eight people, of four pictures each
    task = FlowTask(latents, options, CPU)
    for step in range(20):
        random = torch.Generator().manual_seed(step)
        numbers = task.batches.numbers(random, step % 2 == 1)
        assert not apart[numbers.source].any() and not apart[numbers.target].any()
        assert apart[task.validation.numbers(random).target].all()
    first = task.validate()
    assert first == task.validate()
    trainer = Trainer(tmp_path, "flow", task, Budget(steps=6), options.training, CPU)
    assert trainer.run()
    told = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    found = [line["validation"] for line in told if "validation" in line]
    assert found and trainer.best == min(found)
    describe_flow(tmp_path, options, latents.shape)
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert best["validation"] == trainer.best
    flow, _ = read_flow(tmp_path, best=True)
    for name, parameter in flow.named_parameters():
        assert torch.equal(parameter, best["ema"][name])
    assert Trainer(tmp_path, "flow", task, Budget(steps=6), options.training, CPU).best == trainer.best
    with pytest.raises(RecipeError, match="leaves no pairs"):
        left_out(latents, 1.0)


def test_gradients_of_several_batches_make_a_step(latents, tmp_path):
    options = tiny_flow(two_sources=0.0)
    options.training.accumulate, options.training.clip = 3, 1e9
    trainer = flow_trainer(tmp_path, latents, 1, options=options)
    trainer.optimizer.zero_grad(set_to_none=True)
    loss, _ = trainer.gradients(0.0)
    found = {name: p.grad.clone() for name, p in trainer.task.module.named_parameters() if p.grad is not None}
    trainer.optimizer.zero_grad(set_to_none=True)
    single = [trainer.task.loss(trainer.model, batch, 0.0)[0] for batch in range(3)]
    (sum(single) / 3).backward()
    assert loss.item() == pytest.approx(sum(one.item() for one in single) / 3, rel=1e-6)
    for name, parameter in trainer.task.module.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(found[name], parameter.grad, rtol=1e-4, atol=1e-7)
    with pytest.raises(RecipeError, match="accumulate"):
        Trainer(tmp_path, "flow", trainer.task, Budget(steps=1), TrainingOptions(accumulate=0), CPU)


def test_the_papers_profile_is_the_papers_model(latents):
    options = FLOWS["paper"]()
    sizes = (options.hidden_size, options.depth, options.num_heads)
    assert sizes == tuple(PRESETS["B"][key] for key in ("hidden_size", "depth", "num_heads"))
    assert not options.reference_attention
    assert to_json(from_json(type(options), to_json(options))) == to_json(options)


def test_muon_makes_directions_orthogonal_and_learns():
    torch.manual_seed(0)
    for shape in ((2, 8, 24), (2, 24, 8)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert values.min() > 0.5 and values.max() < 1.3
    module = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Conv1d(1, 1, 1), torch.nn.Linear(32, 8))
    assert len(hidden_weights(module)) == 2
    options = TrainingOptions(optimizer="muon", learning_rate=0.02)
    optimizer, x = optimizer_of(module, options, CPU.device), torch.randn(64, 8)
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    assert len(trained) == len({id(p) for p in trained}) == len(list(module.parameters()))

    def step():
        optimizer.zero_grad()
        loss = (module(x[:, None])[:, 0] - x.sin()).square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    first = step()
    state = copy.deepcopy(optimizer.state_dict())
    weights = copy.deepcopy(module.state_dict())
    second = step()
    module.load_state_dict(weights)
    optimizer.load_state_dict(state)
    assert step() == second < first
    assert [step() for _ in range(40)][-1] < first / 4


def test_muon_moves_weights_alike_however_they_lie_in_memory():
    torch.manual_seed(0)
    plain = torch.nn.Sequential(torch.nn.Conv2d(8, 16, 3), torch.nn.Conv2d(16, 8, 1), torch.nn.Conv2d(8, 16, 3))
    turned, x = copy.deepcopy(plain).to(memory_format=torch.channels_last), torch.randn(2, 8, 6, 6)
    before = plain[0].weight.detach().clone()
    for module in (plain, turned):
        optimizer = optimizer_of(module, TrainingOptions(optimizer="muon", learning_rate=0.02), CPU.device)
        for _ in range(2):
            optimizer.zero_grad()
            module(x).square().mean().backward()
            optimizer.step()
    assert turned[0].weight.stride() != plain[0].weight.stride()
    assert not torch.allclose(before, plain[0].weight, atol=1e-3)
    for one, two in zip(plain.parameters(), turned.parameters(), strict=True):
        torch.testing.assert_close(one, two, atol=2e-3, rtol=2e-2)


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(RecipeError, match="adamw or muon"):
        optimizer_of(torch.nn.Linear(2, 2), TrainingOptions(optimizer="sgd"), CPU.device)


def test_a_decoder_learns_alone_and_latents_stay_true(people, tiny_vae, tmp_path):
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    options = tiny_autoencoder()
    options.decoder_alone = True
    start = copy.deepcopy(tiny_vae)
    trained = train_autoencoder(bank, tmp_path, Budget(steps=3), options, CPU, start=start)
    assert fingerprint(trained) == fingerprint(tiny_vae)
    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(trained.encode(picture), tiny_vae.encode(picture), rtol=1e-3, atol=1e-3)
        assert not torch.equal(trained.decode(torch.ones(1, 4, 8, 8)), tiny_vae.decode(torch.ones(1, 4, 8, 8)))
