"""Making few steps enough: rectification of the trained flow.

The trained flow, guided, is integrated with care from noise z0 to a picture's latent; then a copy of it
learns the straight line between the two. Its paths are straight where the first flow's were bent, so that
four Euler steps go almost where sixty do (Liu et al. 2023, "Flow straight and fast").

It fits this model better than consistency or progressive distillation: the network stays v(z, t, condition),
any solver with any number of steps runs it, and it stays an honest flow for sixty steps too. The guidance of
the teacher is learnt along, so that the empty branch need no longer be evaluated.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from posed_recipe.flow.batches import Batches, GroupNumbers
from posed_recipe.flow.path import ends_times
from posed_recipe.flow.trainer import FlowTask
from posed_recipe.rpfm import solve, steps_of_budget
from posed_recipe.rpfm.layers import Block
from posed_recipe.training.loop import TrainingOptions, autocast, compile_parts, generator


@dataclass
class RectifyOptions:
    """How pairs are made and learnt."""

    pairs: int = 49152
    """0 leaves rectification out of the default model."""
    chunk: int = 128
    """Groups that are solved at once."""
    solver: str = "heun"
    nfe: int = 16
    guidance: float = 1.1
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(
        learning_rate=2e-4, warmup_steps=100, decay=0.7))


class PairFile:
    """Pairs on disk in groups of one source: `starts.npy` and `ends.npy`, float16 [groups, K, C, h, w], the
    numbers of their pictures and variants, and `done.npy`, which groups are finished."""

    def __init__(self, folder, groups, targets, latent):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        shapes = {"source": (groups,), "variant": (groups,), "target": (groups, targets),
                  "pose_variant": (groups, targets)}
        self.done = self.open("done", "|b1", (groups,))
        self.starts = self.open("starts", "<f2", (groups, targets, *latent))
        self.ends = self.open("ends", "<f2", (groups, targets, *latent))
        self.numbers = {name: self.open(name, "<i8", shape) for name, shape in shapes.items()}

    def open(self, name, kind, shape):
        """A mapped array, made where it is not there in this shape."""
        path = self.folder / f"{name}.npy"
        if path.exists():
            mapped = np.load(path, mmap_mode="r+")
            if mapped.shape == shape:
                return mapped
            if name != "done":
                self.done[:] = False
        return np.lib.format.open_memmap(path, "w+", kind, shape)

    def __len__(self):
        return self.ends.shape[0] * self.ends.shape[1]


@torch.no_grad()
def make_pairs(flow, store, folder, options, flow_options, processes, deadline=None):
    """Solves for pairs of noise and latent; gives the file, or None if time ran out.

    Several processes take chunks in turn; chunks that are done already are left alone.
    """
    targets, chunk = flow_options.targets, options.chunk
    groups = max(chunk, options.pairs // targets // chunk * chunk)
    if processes.leads:
        PairFile(folder, groups, targets, store.shape.latent)
    processes.wait()
    pairs = PairFile(folder, groups, targets, store.shape.latent)
    missing = [start for start in range(0, groups, chunk) if not pairs.done[start]]
    batches = Batches(store, chunk, targets, 0, processes)
    flow.eval()
    if options.training.compile and missing:
        compile_parts(flow, Block)
    for start in tqdm(missing[processes.rank::processes.world], desc="pairs", disable=None, unit="chunk"):
        if deadline is not None and deadline.passed:
            break
        make_chunk(flow, batches, pairs, start, options)
    processes.wait()
    return pairs if pairs.done.all() else None


def make_chunk(flow, batches, pairs, start, options):
    """Solves for one chunk of groups, with random numbers of its own."""
    device, latent, targets = batches.processes.device, batches.store.shape.latent, batches.targets
    random = generator(device, options.training.seed, start, stream=2)
    numbers = batches.numbers(random)
    z0 = torch.randn(options.chunk * targets, *latent, generator=random, device=device).half().float()
    with autocast(device, options.training.precision):
        ends = endpoints(flow, batches, numbers, z0, options)
    span, shape = slice(start, start + options.chunk), (options.chunk, targets, *latent)
    pairs.starts[span] = z0.half().cpu().numpy().reshape(shape)
    pairs.ends[span] = ends.half().cpu().numpy().reshape(shape)
    for name, array in pairs.numbers.items():
        array[span] = getattr(numbers, name).cpu().numpy()
    pairs.done[span] = True


def endpoints(flow, batches, numbers, z0, options):
    """Where the teacher takes noise [G*K, C, h, w]."""
    k = numbers.target.shape[1]
    rows = batches.conditions(numbers, slice(0, len(numbers.source)), z0, z0, None)
    model = flow.transformer
    cached = model.reference(rows.z_s)
    z_s = rows.z_s.repeat_interleave(k, 0)
    cond = flow.aggregate(rows, z_s, k)
    return solve(model, z0, z_s, rows.z_p, cond, options.solver,
                 steps_of_budget(options.solver, options.nfe), options.guidance, cached=cached)


class RectifiedBatches(Batches):
    """Batches whose targets and noise are the pairs of a file."""

    def __init__(self, store, pairs, groups, targets, empty, processes):
        super().__init__(store, groups, targets, empty, processes)
        device = store.device
        self.starts, self.ends = (torch.from_numpy(np.array(a)).to(device) for a in (pairs.starts, pairs.ends))
        self.fields = {name: torch.from_numpy(np.array(a)).to(device) for name, a in pairs.numbers.items()}

    def conditional(self, random, two_sources=False, times=ends_times):
        """This process's rows."""
        g, k = self.groups, self.targets
        picks = torch.randint(len(self.ends), (g,), generator=random, device=self.store.device)
        t = times(g * k, random)
        mine = self.processes.share(g)
        rows = slice(mine.start * k, mine.stop * k)
        found = {name: values[picks] for name, values in self.fields.items()}
        numbers = GroupNumbers(found["source"], None, found["target"], found["variant"], found["pose_variant"])
        y, z0 = (a[picks[mine]].flatten(0, 1).float() for a in (self.ends, self.starts))
        return self.conditions(numbers, mine, y, z0, t[rows])


class RectifyTask(FlowTask):
    """What a `Trainer` runs to rectify: the empty branch goes on learning from real latents."""

    def __init__(self, store, pairs, flow, options, flow_options, processes, watcher=None):
        super().__init__(store, flow_options, processes, flow, watcher)
        self.training = options.training
        self.batches = RectifiedBatches(
            store, pairs, flow_options.groups, flow_options.targets,
            flow_options.empty(processes.world), processes)

    def loss(self, model, step, progress):
        """Loss of one step."""
        random = generator(self.processes.device, self.training.seed + 1, step)
        rows, empty = self.batches.conditional(random), self.batches.without(random)
        with autocast(self.processes.device, self.training.precision):
            return model(rows, empty)
