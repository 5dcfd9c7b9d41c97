"""What the commands of `posed-recipe` do. Each gives a result to print, or None if time ran out."""

import sys
from pathlib import Path

from posed_recipe import published
from posed_recipe.autoencoder.trainer import AutoencoderOptions, train_autoencoder
from posed_recipe.data.bank import PictureBank
from posed_recipe.data.pictures import read_pictures
from posed_recipe.default_model import PROFILES, train_default
from posed_recipe.detail import SourceBlend
from posed_recipe.encoder import Preprocessor
from posed_recipe.errors import RecipeError
from posed_recipe.evaluation import Settings, evaluate
from posed_recipe.evaluation.experiments import Engine, experiments, plot
from posed_recipe.export import assemble
from posed_recipe.flow.decoder import DecoderOptions, DecoderTask, train_decoder
from posed_recipe.flow.rectify import RectifyOptions, RectifyTask, make_pairs
from posed_recipe.flow.refine import RefineOptions, RefineTask
from posed_recipe.flow.sheets import SheetWatcher
from posed_recipe.flow.trainer import FLOWS, FlowOptions, FlowTask
from posed_recipe.latents import LatentStore, precompute
from posed_recipe.latents.precompute import PRECOMPUTATIONS, Encoders, fingerprint
from posed_recipe.model_folder import ModelFolder, SamplerDefaults
from posed_recipe.options import configure
from posed_recipe.rpfm import evaluations_of
from posed_recipe.runs import begun_flow, describe_flow, read_flow
from posed_recipe.training import Budget, Deadline, Processes, Trainer


def budget_of(flags):
    """Steps or minutes."""
    return Budget(steps=flags.steps) if flags.steps is not None else Budget(seconds=60 * flags.minutes)


def deadline_of(flags):
    """When this call ends."""
    return Deadline(flags.stop_after_minutes).watch_signals()


def train_autoencoder_command(flags):
    """posed-recipe train-autoencoder"""
    processes = Processes.join(flags.device)
    options = configure(AutoencoderOptions(), flags.set)
    bank = PictureBank.of(read_pictures(flags.data), processes.device, options.pictures)
    start = published.autoencoder(flags.start) if flags.start else None
    trained = train_autoencoder(
        bank, flags.out, budget_of(flags), options, processes, deadline_of(flags), start)
    if trained is None:
        return None
    if processes.leads:
        trained.save_pretrained(Path(flags.out) / "vae")
    return {"vae": str(Path(flags.out) / "vae")}


def precompute_command(flags):
    """posed-recipe precompute"""
    processes = Processes.join(flags.device)
    options = configure(PRECOMPUTATIONS[flags.profile](), flags.set)
    pictures = read_pictures(flags.data, tuple(flags.size), flags.split)
    vae = published.autoencoder(flags.vae, processes.device)
    if flags.encoder is None:
        encoders = Encoders(Preprocessor.square(flags.encoder_side))
    else:
        source, preprocessor = published.encoder(flags.encoder, processes.device)
        pose, pose_preprocessor = None, None
        if flags.pose_encoder:
            pose, pose_preprocessor = published.encoder(flags.pose_encoder, processes.device)
        encoders = Encoders(preprocessor, source, pose, pose_preprocessor)
    deadline = Deadline().watch_signals()
    if not precompute(pictures, flags.out, vae, encoders, options, processes, deadline):
        return None
    return {"latents": flags.out, "pictures": len(pictures)}


def latents_of(flags, processes):
    """The latents, and a sentence about those that do not fit on the device."""
    store = LatentStore(flags.latents, processes.device)
    if store.streamed and processes.leads:
        told = ", ".join(f"{name} ({size / 1e9:.1f} GB)" for name, size in store.streamed.items())
        print(f"{flags.latents}: {told} stay on the disk; what a step needs of them is copied", file=sys.stderr)
    return store


def watcher_of(flags, store):
    """What paints sheets, where the flags ask for it."""
    if not flags.heldout or not flags.vae:
        return None
    encoders, device = None, store.device
    if flags.encoder:
        encoders = [published.encoder(name, device) for name in (flags.encoder, flags.pose_encoder) if name]
    vae = published.autoencoder(flags.vae, device)
    size = tuple(side * vae.config.downsampling for side in store.shape.latent[1:])
    return SheetWatcher(flags.out, vae, flags.heldout, size, encoders, drawer=store.shape.drawer)


def train_flow_command(flags):
    """posed-recipe train-flow"""
    processes = Processes.join(flags.device)
    options = configure(FLOWS[flags.profile](), flags.set)
    store = latents_of(flags, processes)
    flow = begun_flow(flags.start, options, store.shape) if flags.start else None
    if processes.leads:
        describe_flow(flags.out, options, store.shape)
    task = FlowTask(store, options, processes, flow, watcher_of(flags, store))
    trainer = Trainer(
        flags.out, "flow", task, budget_of(flags), options.training, processes, deadline_of(flags))
    return {"flow": flags.out, "steps": trainer.step} if trainer.run() else None


def rectify_command(flags):
    """posed-recipe rectify"""
    processes, deadline = Processes.join(flags.device), deadline_of(flags)
    options = configure(RectifyOptions(), flags.set)
    flow, flow_options = read_flow(flags.flow, processes.device)
    store = latents_of(flags, processes)
    pairs = make_pairs(flow, store, Path(flags.out) / "pairs", options, flow_options, processes, deadline)
    if pairs is None:
        return None
    if processes.leads:
        describe_flow(flags.out, flow_options, store.shape)
    task = RectifyTask(store, pairs, flow, options, flow_options, processes, watcher_of(flags, store))
    trainer = Trainer(flags.out, "rectify", task, budget_of(flags), options.training, processes, deadline)
    return {"flow": flags.out, "steps": trainer.step} if trainer.run() else None


def refine_command(flags):
    """posed-recipe refine"""
    processes, deadline = Processes.join(flags.device), deadline_of(flags)
    options, flow_options = configure(RefineOptions(), flags.set), FlowOptions()
    store = latents_of(flags, processes)
    vae = autoencoder_of(flags, store)
    flow = begun_flow(flags.start, flow_options, store.shape)
    flow_options.training = options.training
    bank = bank_of(flags, vae, store)
    if processes.leads:
        describe_flow(flags.out, flow_options, store.shape)
    task = RefineTask(store, bank, vae, flow, flow_options, options, processes, watcher_of(flags, store))
    trainer = Trainer(flags.out, "refine", task, budget_of(flags), options.training, processes, deadline)
    return {"flow": flags.out, "steps": trainer.step} if trainer.run() else None


def train_decoder_command(flags):
    """posed-recipe train-decoder"""
    processes, deadline = Processes.join(flags.device), deadline_of(flags)
    options = configure(DecoderOptions(), flags.set)
    store = latents_of(flags, processes)
    vae = autoencoder_of(flags, store)
    flow = begun_flow(flags.start, FlowOptions(), store.shape)
    task = DecoderTask(store, bank_of(flags, vae, store), vae, flow, options, processes)
    trained = train_decoder(task, flags.out, budget_of(flags), deadline)
    if trained is None:
        return None
    if processes.leads:
        trained.save_pretrained(Path(flags.out) / "vae")
    return {"vae": str(Path(flags.out) / "vae")}


def autoencoder_of(flags, store):
    """The one that made the latents: what `--vae` names, or the model's own."""
    name = flags.vae or flags.start
    vae = published.autoencoder(name, store.device)
    if fingerprint(vae) != store.shape.autoencoder:
        raise RecipeError(
            f"{flags.latents} were made by another autoencoder ({store.shape.autoencoder}) than {name} "
            f"({fingerprint(vae)}), perhaps by its float32 weights; name theirs with --vae")
    return vae


def bank_of(flags, vae, store):
    """The pictures that the latents come from, in their size."""
    size = tuple(side * vae.config.downsampling for side in store.shape.latent[1:])
    return PictureBank.of(read_pictures(flags.data, size), store.device)


def export_command(flags):
    """posed-recipe export"""
    sampler = SamplerDefaults(flags.solver, flags.steps, flags.guidance)
    model = assemble(flags.vae, flags.flow, flags.encoder, flags.pose_encoder, sampler, best=flags.best,
                     detail=SourceBlend() if flags.detail else None)
    shard = None if flags.shard_mb is None else int(flags.shard_mb * 1e6)
    return {"model": flags.out, "bytes": model.save(flags.out, flags.dtype, shard)}


def convert_xmdpt_command(flags):
    """posed-recipe convert xmdpt"""
    from posed_recipe.xmdpt import convert

    return convert(flags.checkpoint, flags.vae, flags.source_encoder, flags.pose_encoder, flags.out, flags.dtype)


def evaluate_command(flags):
    """posed-recipe evaluate"""
    model = ModelFolder.load(flags.model, Processes.join(flags.device).device)
    sampler = model.sampler
    solver = flags.solver or sampler.solver
    settings = Settings(
        solver, flags.nfe or evaluations_of(solver, sampler.steps, sampler.last_step_first_order),
        sampler.guidance_scale if flags.guidance is None else flags.guidance,
        sampler.time_shift, flags.seed, flags.precision, sampler.last_step_first_order)
    device = next(model.vae.parameters()).device
    reconstructor = published.autoencoder(flags.reconstruction, device) if flags.reconstruction else None
    report = evaluate(model, flags.data, settings, flags.limit, sheet=flags.sheet, reconstructor=reconstructor)
    if flags.reconstruction:
        report["settings"]["reconstruction"] = flags.reconstruction
    return report


def experiments_command(flags):
    """posed-recipe experiments"""
    engine = Engine(flags.posekit, flags.model, flags.data, flags.out, flags.limit, flags.backend)
    result = experiments(engine, flags.guidance)
    plot(result, Path(flags.out) / "experiments.png")
    return {"enough": result["enough"]}


def train_default_command(flags):
    """posed-recipe train-default"""
    processes = Processes.join(flags.device)
    profile = flags.profile or ("h200" if processes.device.type == "cuda" else "cpu")
    plan = configure(PROFILES[profile](), flags.set)
    deadline = deadline_of(flags)
    done = train_default(
        flags.out, plan, flags.budget_minutes, processes, deadline, flags.people, flags.heldout, flags.start)
    return {"model": str(Path(flags.out) / "model")} if done else None
