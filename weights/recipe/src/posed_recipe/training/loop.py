"""The loop that every trainer runs."""

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

from posed_recipe.errors import RecipeError
from posed_recipe.training.budget import Deadline
from posed_recipe.training.checkpoint import BEST, read_checkpoint, write_checkpoint
from posed_recipe.training.distributed import Processes
from posed_recipe.training.ema import PowerEMA
from posed_recipe.training.graphs import Graphed
from posed_recipe.training.journal import Journal
from posed_recipe.training.muon import Both, Muon, hidden_weights
from posed_recipe.training.schedule import learning_rate_factor

PATIENCE = 50
"""So many steps in a row without a finite gradient, and the training is given up."""


@dataclass
class TrainingOptions:
    """What trainers have in common."""

    optimizer: str = "adamw"
    """`adamw`, or `muon` for the matrices inside and AdamW for the rest."""
    learning_rate: float = 5e-4
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.01
    warmup_steps: int = 200
    decay: float = 0.4
    """Part of the training in which the learning rate goes down to zero."""
    clip: float = 1.0
    """Greatest norm of the gradient."""
    accumulate: int = 1
    """Batches whose gradients are averaged for a step, one after the other: a step of more rows than fit in memory."""
    ema_gamma: float = 16.97
    precision: str = "bf16"
    """`bf16` computes under autocast, `f32` does not."""
    compile: bool = False
    graphs: bool = False
    """Forward and backward are recorded as CUDA graphs: for one GPU, where the host is what a step waits for."""
    seed: int = 0
    log_every: int = 20
    save_minutes: float = 2.0
    watch_minutes: float = 3.0
    """How often the trainer's `watch` looks at what has been learnt."""


class Trainer:
    """Runs steps until the budget is spent or the call must end.

    `task` has `module` (what is trained), `loss(model, batch, progress)` giving the loss and numbers worth
    telling, and may have `watch(journal, step)`, which sees the averaged weights now and then and may give a
    validation loss, whose least makes `best.pt`.
    Every random number of a step comes from its own seed, so a resumed training repeats what an
    uninterrupted one would have done.
    """

    def __init__(self, folder, name, task, budget, options, processes=None, deadline=None):
        self.folder = Path(folder)
        self.task, self.budget, self.options = task, budget, options
        self.processes = processes or Processes(next(task.module.parameters()).device)
        self.deadline = deadline or Deadline()
        self.journal = Journal(self.folder, name, self.processes.leads)
        self.parameters = [p for p in task.module.parameters() if p.requires_grad]
        self.optimizer = optimizer_of(task.module, options, self.processes.device)
        self.ema = PowerEMA(task.module, options.ema_gamma)
        self.step, self.seconds, self.skipped, self.best = 0, 0.0, 0, None
        if options.accumulate < 1 or options.accumulate > 1 and options.graphs:
            raise RecipeError(
                f"training.accumulate must be at least 1, and 1 with training.graphs, but it is {options.accumulate}")
        self.resume()
        self.graphed = options.graphs and self.processes.device.type == "cuda" and self.processes.world == 1
        self.model = Graphed(task.module) if self.graphed else self.processes.wrap(task.module)

    # Checkpoints

    def resume(self):
        """Takes up the last checkpoint, where there is one."""
        state = read_checkpoint(self.folder, self.processes.device)
        if state is None:
            return
        self.task.module.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.best = state["step"], state["seconds"], state.get("best")
        self.journal.say(f"resumed at step {self.step}, after {self.seconds:.0f} s of training")

    def save(self):
        """Writes a checkpoint."""
        if self.processes.leads:
            write_checkpoint(self.folder, {
                "model": self.task.module.state_dict(), "ema": self.ema.state_dict(),
                "optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds,
                "best": self.best})
        self.processes.wait()

    # Steps

    def run(self):
        """Trains; gives True when the budget is spent, False when the call ended before."""
        started, before = time.monotonic(), self.seconds
        saved = watched = started
        while True:
            now = time.monotonic()
            seconds = before + now - started
            stop, self.seconds, progress = self.processes.agree(
                float(self.deadline.passed), seconds, self.budget.progress(self.step, seconds))
            if stop or progress >= 1:
                break
            self.advance(progress)
            if now - saved > 60 * self.options.save_minutes:
                self.save()
                saved = time.monotonic()
            if now - watched > 60 * self.options.watch_minutes:
                self.watch()
                watched = time.monotonic()
        self.save()
        finished = progress >= 1
        if finished:
            self.watch()
        self.journal.close()
        return finished

    def advance(self, progress):
        """One step."""
        options, begun = self.options, time.monotonic()
        factor = learning_rate_factor(self.step, progress, options.warmup_steps, options.decay)
        for group in self.optimizer.param_groups:
            group["lr"] = options.learning_rate * factor
        self.optimizer.zero_grad(set_to_none=True)
        loss, values = self.gradients(progress)
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, options.clip).item()
        if math.isfinite(norm):
            self.optimizer.step()
            self.ema.update(self.task.module, self.step)
            self.skipped = 0
        else:
            self.skip(norm)
        if self.step % options.log_every == 0:
            told = {key: float(value) for key, value in values.items()}
            self.journal.record(self.step, {
                "loss": loss.item(), **told, "gradient": norm, "rate": options.learning_rate * factor,
                "step_ms": 1000 * (time.monotonic() - begun), "seconds": self.seconds}, progress)
        self.step += 1

    def gradients(self, progress):
        """Fills the parameters' gradients, and gives the loss and what is worth telling, of the last batch."""
        count, total = self.options.accumulate, 0.0
        for number in range(count):
            last = number + 1 == count
            # Between processes gradients are averaged once, after the last batch.
            apart = nullcontext() if last or self.processes.world == 1 else self.model.no_sync()
            with apart:
                loss, values = self.task.loss(self.model, self.step * count + number, progress)
                if not self.graphed:
                    (loss / count).backward()
            total = total + loss.detach() / count
        return total, values

    def skip(self, norm):
        """Leaves out a step whose gradient is not finite, but not for ever."""
        self.skipped += 1
        if self.skipped >= PATIENCE:
            raise RecipeError(
                f"{self.folder}: {PATIENCE} steps in a row gave no finite gradient (norm {norm}); "
                f"resume from the last checkpoint with a learning rate below {self.options.learning_rate}")

    def watch(self):
        """Shows the averaged weights to the task, which may measure them and paint sheets."""
        watch = getattr(self.task, "watch", None)
        if watch is not None and self.processes.leads:
            kept = {name: p.detach().clone() for name, p in self.task.module.named_parameters()}
            self.ema.copy_to(self.task.module)
            with torch.no_grad(), torch.compiler.set_stance("force_eager"):
                loss = watch(self.journal, self.step)
                if loss is not None and math.isfinite(loss) and (self.best is None or loss < self.best):
                    self.best = loss
                    write_checkpoint(
                        self.folder, {"ema": self.ema.state_dict(), "step": self.step, "validation": loss}, BEST)
                for name, parameter in self.task.module.named_parameters():
                    parameter.copy_(kept[name])
        self.processes.wait()

    def averaged(self):
        """The module with the averaged weights, for export; the training cannot go on after this."""
        return self.ema.copy_to(self.task.module).eval()


def optimizer_of(module, options, device):
    """The optimizer that the options name."""
    if options.optimizer not in ("adamw", "muon"):
        raise RecipeError(f'the optimizer must be adamw or muon, but it is "{options.optimizer}"')
    if options.optimizer == "adamw":
        return adamw(module, options, device)
    inside = hidden_weights(module)
    return Both(
        Muon(inside, options.learning_rate, weight_decay=options.weight_decay),
        adamw(module, options, device, apart=inside))


def adamw(module, options, device, apart=()):
    """AdamW of all but the weights set apart; vectors (biases, norms, tokens) are not decayed."""
    others = {id(p) for p in apart}
    trained = [p for p in module.parameters() if p.requires_grad and id(p) not in others]
    groups = [
        {"params": [p for p in trained if p.dim() >= 2], "weight_decay": options.weight_decay},
        {"params": [p for p in trained if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=options.learning_rate, betas=(options.beta1, options.beta2), fused=True)


def generator(device, seed, step, stream=0):
    """The random numbers of one step."""
    mixed = (seed * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9 + stream * 0x94D049BB133111EB) % 2**63
    return torch.Generator(device).manual_seed(mixed)


def autocast(device, precision):
    """Products in bfloat16, or not."""
    if precision not in ("bf16", "f32"):
        raise RecipeError(f'the precision must be bf16 or f32, but it is "{precision}"')
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def compile_parts(module, kinds):
    """Compiles every submodule of these classes in place; where the compiler fails, eager mode stays."""
    torch._dynamo.config.suppress_errors = True
    torch._dynamo.config.cache_size_limit = 64
    for part in module.modules():
        if isinstance(part, kinds):
            part.compile(dynamic=False)
