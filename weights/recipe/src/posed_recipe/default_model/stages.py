"""The stages of the default model, each of which goes on where it stopped.

`state.json` in the work folder keeps the seconds used over all calls and what each stage was granted, so
that a plan of 30 minutes may be spent in three calls of ten. The flow gets whatever the stages after it do
not need.
"""

import json
import time
from pathlib import Path

from posed_recipe import published
from posed_recipe.autoencoder.trainer import train_autoencoder
from posed_recipe.data.bank import GrowingBank, PictureBank
from posed_recipe.data.pictures import read_pictures
from posed_recipe.default_model.people import Peopling
from posed_recipe.encoder import Preprocessor
from posed_recipe.errors import RecipeError
from posed_recipe.evaluation.evaluate import evaluate
from posed_recipe.evaluation.synthesizer import Settings
from posed_recipe.export import assemble
from posed_recipe.flow.rectify import RectifyTask, make_pairs
from posed_recipe.flow.refine import RefineTask
from posed_recipe.flow.sheets import SheetWatcher
from posed_recipe.flow.trainer import FlowTask
from posed_recipe.latents import LatentStore, precompute
from posed_recipe.latents.precompute import Encoders
from posed_recipe.model_folder import SamplerDefaults
from posed_recipe.options import to_json
from posed_recipe.runs import describe_flow, read_flow
from posed_recipe.training import Budget, Trainer
from posed_recipe.weights import write_json


class Work:
    """The work folder, its state, and the clock."""

    def __init__(self, folder, plan, budget_minutes, processes, deadline, people=None, heldout=None, start=None):
        self.folder, self.plan, self.start = Path(folder), plan, start
        self.people = Path(people) if people else self.folder / "people"
        self.heldout = Path(heldout or self.folder / "heldout")
        self.makes_people = people is None
        self.processes, self.deadline = processes, deadline
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "state.json"
        self.state = json.loads(path.read_text()) if path.exists() else {
            "budget_seconds": 60.0 * budget_minutes, "used_seconds": 0.0, "granted": {}, "done": {}}
        self.state["budget_seconds"] = 60.0 * budget_minutes
        self.before, self.started = self.state["used_seconds"], time.monotonic()
        if processes.leads:
            write_json(self.folder / "plan.json", to_json(plan))

    @property
    def used(self):
        """Seconds of the budget that are gone."""
        return self.before + time.monotonic() - self.started

    def save(self):
        """Writes the state."""
        if not self.processes.leads:
            return
        self.state["used_seconds"] = round(self.used, 1)
        write_json(self.folder / "state.json", self.state)

    def grant(self, stage, seconds):
        """A stage's seconds: what it was granted first holds."""
        granted = self.state["granted"].setdefault(stage, round(seconds, 1))
        self.save()
        return Budget(seconds=granted)

    def share(self, part):
        """Seconds of a part of the budget."""
        return part * self.state["budget_seconds"]

    def left(self, *reserved):
        """Seconds left when the reserved parts of the budget are kept back."""
        return self.state["budget_seconds"] - self.used - sum(self.share(part) for part in reserved)

    def done(self, stage):
        """Whether a stage is finished."""
        return stage in self.state["done"]

    def finish(self, stage, result=None):
        """Notes that a stage is finished."""
        self.state["done"][stage] = {"at_seconds": round(self.used, 1), **(result or {})}
        self.save()


def train_default(folder, plan, budget_minutes, processes, deadline, people=None, heldout=None, start=None):
    """Runs all stages; gives whether everything is done.

    `people` and `heldout` name finished sets to take instead of making them, `start` a model whose autoencoder is
    trained on.
    """
    plan.autoencoder.drawer = plan.precompute.drawer = plan.drawer
    work = Work(folder, plan, budget_minutes, processes, deadline, people, heldout, start)
    straighten = [("pairs", solve_pairs), ("rectify", rectify)] if plan.rectify.pairs else []
    stages = [
        ("people and autoencoder", train_pictures),
        ("latents", encode_pictures),
        ("flow", train_flow),
        *straighten,
        *([("refine", refine)] if plan.shares.refine else []),
        ("export", export),
    ]
    try:
        for name, run in stages:
            if work.done(name):
                continue
            if processes.leads:
                print(f"{work.used / 60:.1f} min of {budget_minutes:g}: {name}", flush=True)
            result = run(work)
            if result is None:
                return False
            work.finish(name, result)
    finally:
        work.save()
    return True


def train_pictures(work):
    """People are made while the autoencoder learns from those that are there already."""
    plan, folder = work.plan, work.folder / "autoencoder"
    budget = work.grant("autoencoder", work.share(plan.shares.autoencoder))
    making = None
    if work.makes_people and work.processes.leads:
        making = Peopling(
            work.people, work.heldout, plan.identities, plan.heldout, plan.people_workers, plan.seed, plan.signing)
    try:
        bank, growing = open_bank(work, making)
        if bank is None:
            return None
        start = published.autoencoder(work.start) if work.start else None
        autoencoder = train_autoencoder(
            bank, folder, budget, plan.autoencoder, work.processes, work.deadline, start)
        if growing is not None:
            growing.stop()
        if autoencoder is None:
            return None
        if work.processes.leads:
            autoencoder.save_pretrained(folder / "vae")
        if making is not None and not making.close(work.deadline):
            return None
        work.processes.wait()
        return {"pictures": len(bank)}
    finally:
        if making is not None:
            making.stop()


def open_bank(work, making):
    """The pictures that the autoencoder learns from, and the thread that adds to them."""
    plan, device = work.plan, work.processes.device
    if not work.makes_people or making is not None and making.complete:
        pictures = read_pictures(work.people, plan.size)
        return PictureBank.of(pictures, device, plan.autoencoder.pictures, plan.precompute.threads), None
    if making is not None:
        making.train.start()
    capacity = min(plan.identities * 4, plan.autoencoder.pictures or plan.identities * 4)
    bank = PictureBank(plan.size, device, capacity, 2)
    growing = GrowingBank(work.people, bank)
    alive = making.train.alive if making is not None else lambda: True
    if not growing.start(min(plan.least_pictures, capacity), work.deadline, alive):
        return None, None
    if making is not None:
        making.start_pairs()
    return bank, growing


def encode_pictures(work):
    """Latents of all pictures."""
    plan = work.plan
    pictures = read_pictures(work.people, plan.size)
    vae = published.autoencoder(work.folder / "autoencoder" / "vae", work.processes.device)
    encoders = Encoders(Preprocessor.square(plan.flow.encoder.side))
    done = precompute(
        pictures, work.folder / "latents", vae, encoders, plan.precompute, work.processes, work.deadline)
    return {"pictures": len(pictures)} if done else None


def watcher(work, folder):
    """Sheets of held-out pairs, where there are some."""
    if not (work.heldout / "pairs.jsonl").exists():
        return None
    vae = published.autoencoder(work.folder / "autoencoder" / "vae", work.processes.device)
    return SheetWatcher(folder, vae, work.heldout, work.plan.size, drawer=work.plan.drawer)


def train_flow(work):
    """The flow, for as long as the stages after it allow."""
    plan, folder = work.plan, work.folder / "flow"
    shares = plan.shares
    left = work.left(shares.pairs, shares.rectify, shares.refine, shares.finish)
    budget = work.grant("flow", max(left, work.share(shares.least_flow)))
    store = LatentStore(work.folder / "latents", work.processes.device)
    describe_flow(folder, plan.flow, store.shape)
    task = FlowTask(store, plan.flow, work.processes, watcher=watcher(work, folder))
    trainer = Trainer(folder, "flow", task, budget, plan.flow.training, work.processes, work.deadline)
    if not trainer.run():
        return None
    return {"steps": trainer.step, "targets_seen": plan.flow.targets_seen(trainer.step)}


def solve_pairs(work):
    """Noise and where the trained flow takes it."""
    plan = work.plan
    flow, _ = read_flow(work.folder / "flow", work.processes.device)
    store = LatentStore(work.folder / "latents", work.processes.device)
    pairs = make_pairs(
        flow, store, work.folder / "pairs", plan.rectify, plan.flow, work.processes, work.deadline)
    return None if pairs is None else {"pairs": len(pairs)}


def rectify(work):
    """Straight paths."""
    plan, folder = work.plan, work.folder / "rectified"
    left = work.left(plan.shares.refine, plan.shares.finish)
    budget = work.grant("rectify", max(left, work.share(plan.shares.rectify / 2)))
    flow, _ = read_flow(work.folder / "flow", work.processes.device)
    store = LatentStore(work.folder / "latents", work.processes.device)
    describe_flow(folder, plan.flow, store.shape)
    pairs = make_pairs(flow, store, work.folder / "pairs", plan.rectify, plan.flow, work.processes)
    task = RectifyTask(store, pairs, flow, plan.rectify, plan.flow, work.processes, watcher(work, folder))
    trainer = Trainer(folder, "rectify", task, budget, plan.rectify.training, work.processes, work.deadline)
    return {"steps": trainer.step} if trainer.run() else None


def refine(work):
    """The likeliest picture, from every point of the way."""
    plan, folder, device = work.plan, work.folder / "refined", work.processes.device
    budget = work.grant("refine", max(work.left(plan.shares.finish), work.share(plan.shares.refine / 2)))
    flow, _ = read_flow(work.folder / flows(plan)[-2], device)
    store = LatentStore(work.folder / "latents", device)
    describe_flow(folder, plan.flow, store.shape)
    vae = published.autoencoder(work.folder / "autoencoder" / "vae", device)
    bank = PictureBank.of(read_pictures(work.people, plan.size), device, threads=plan.precompute.threads)
    task = RefineTask(
        store, bank, vae, flow, plan.flow, plan.refine, work.processes, watcher(work, folder))
    trainer = Trainer(folder, "refine", task, budget, plan.refine.training, work.processes, work.deadline)
    return {"steps": trainer.step} if trainer.run() else None


def flows(plan):
    """Folders of the flow's trainings, each of which goes on from the one before."""
    return ["flow", *["rectified"] * bool(plan.rectify.pairs), *["refined"] * bool(plan.shares.refine)]


def export(work):
    """The flow as a model folder, measured: `model/` is the last, beside the first where there are several."""
    plan, result = work.plan, {}
    if not work.processes.leads:
        return result
    few = SamplerDefaults("euler", plan.nfe, 1.0)
    first, last = flows(plan)[0], flows(plan)[-1]
    models = [("model-before", first, SamplerDefaults())] if first != last else []
    models.append(("model", last, few))
    for name, run, sampler in models:
        model = assemble(work.folder / "autoencoder" / "vae", work.folder / run, sampler=sampler,
                         device=work.processes.device, detail=plan.detail)
        result[name] = {"bytes": model.save(work.folder / name, plan.dtype)}
        if (work.heldout / "pairs.jsonl").exists():
            result[name].update(measure(work, model, name, sampler))
    return result


def measure(work, model, name, sampler):
    """Reports of few and of many evaluations."""
    reports = {}
    for nfe in (4, 16):
        if work.deadline.remaining < 20:
            raise RecipeError("the models are exported, but the time was up before they were measured; call again")
        settings = Settings(sampler.solver, nfe, sampler.guidance_scale, precision="f32")
        report = evaluate(model, work.heldout, settings,
                          sheet=work.folder / f"{name}-nfe{nfe}.png")
        write_json(work.folder / f"{name}-nfe{nfe}.json", report)
        reports[f"nfe{nfe}"] = {"metrics": report["metrics"], "closed": report["closed"]}
    return reports
