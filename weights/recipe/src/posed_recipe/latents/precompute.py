"""Encoding a data set once: pictures and poses, as they are, turned, and moved in colour.

Pictures are done in chunks, and each chunk's random changes come from its own seed, so that work goes on
where it stopped and gives the same arrays. Several processes take chunks in turn.
"""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from posed_recipe.data.augment import colour_shifts, jitter, shift_colours
from posed_recipe.errors import RecipeError
from posed_recipe.latents.store import StoreShape
from posed_recipe.pose import PoseDrawer, mirror
from posed_recipe.training.loop import autocast, generator
from posed_recipe.weights import write_json


@dataclass
class PrecomputeOptions:
    """How many variants there are of each picture."""

    turns: int = 2
    """2 also turns pictures left to right."""
    colours: int = 2
    jitters: int = 2
    """The first is the pose as it is."""
    chunk: int = 128
    limit: int | None = None
    threads: int = 8
    precision: str = "bf16"
    seed: int = 0
    drawer: PoseDrawer = field(default_factory=PoseDrawer)
    """How poses are drawn."""


PRECOMPUTATIONS = {"default": PrecomputeOptions, "paper": lambda: PrecomputeOptions(turns=1, colours=1, jitters=1)}
"""`paper`: pictures as they are, which makes the features of published encoders an eighth as large."""


class Encoders:
    """What is computed of a picture beside its latent: thumbnails, or the features of frozen encoders."""

    def __init__(self, preprocessor, source=None, pose=None, pose_preprocessor=None):
        self.preprocessor, self.source = preprocessor, source
        self.pose = source if pose is None else pose
        self.pose_preprocessor = pose_preprocessor or preprocessor

    @property
    def joint(self):
        """Whether the encoder is trained with the flow, so that there are no features yet."""
        return self.source is None

    def shapes(self, size):
        """thumbnail, source_features, pose_features of a store."""
        blank = torch.zeros(1, 3, *size, dtype=torch.uint8)
        if self.joint:
            return self.preprocessor.thumbnails(blank).shape[-1], None, None
        return None, *(
            tuple(encoder(process.normalize(process.thumbnails(blank)).to(device_of(encoder))).shape[1:])
            for encoder, process in ((self.source, self.preprocessor), (self.pose, self.pose_preprocessor)))

    def source_entry(self, pictures):
        """(array, values) of pictures."""
        small = self.preprocessor.thumbnails(pictures)
        if self.joint:
            return "thumbnails", small
        return "features", self.source(self.preprocessor.normalize(small))

    def pose_entry(self, pictures):
        """(array, values) of poses' pictures."""
        small = self.pose_preprocessor.thumbnails(pictures)
        if self.joint:
            return "pose_thumbnails", small
        return "pose_features", self.pose(self.pose_preprocessor.normalize(small))


def device_of(module):
    """Where a module's weights are."""
    return next(module.parameters()).device


def fingerprint(autoencoder):
    """A short digest of the weights that make latents; those of the decoder may change without harm."""
    digest = hashlib.sha256()
    for name, tensor in sorted(autoencoder.state_dict().items()):
        if name.startswith(("decoder.", "post_quant_conv.")):
            continue
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().float().numpy().tobytes())
    return digest.hexdigest()[:16]


class Precomputation:
    """Fills a folder with the arrays of a data set."""

    def __init__(self, pictures, folder, autoencoder, encoders, options, processes):
        self.pictures, self.folder = pictures, Path(folder)
        self.autoencoder = autoencoder.eval().to(memory_format=torch.channels_last)
        self.encoders = encoders
        self.options, self.processes = options, processes
        count = len(pictures) if options.limit is None else min(options.limit, len(pictures))
        config = autoencoder.config
        latent = tuple(side // config.downsampling for side in pictures.size)
        self.shape = StoreShape(
            count, options.turns, options.colours, options.jitters, (config.latent_channels, *latent),
            *encoders.shapes(pictures.size), fingerprint(autoencoder), pictures.name,
            None if pictures.surfaces is None else pictures.surfaces.shape[1], options.drawer)

    def prepare(self):
        """Makes the files, or takes up those of an interrupted run of the same shape."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if (self.folder / "store.json").exists():
            if StoreShape.read(self.folder) == self.shape:
                return
            for old in self.folder.glob("*.npy"):
                old.unlink()
        (self.folder / "progress.json").unlink(missing_ok=True)
        for name, (kind, shape) in self.shape.arrays().items():
            np.lib.format.open_memmap(self.folder / f"{name}.npy", "w+", kind, shape).flush()
        offsets, neighbours = within(self.pictures, self.shape.pictures)
        np.save(self.folder / "offsets.npy", offsets)
        np.save(self.folder / "neighbours.npy", neighbours)
        self.shape.write(self.folder)

    def run(self, deadline=None):
        """Encodes what is not yet done; gives False when the call ended before."""
        if self.processes.leads:
            self.prepare()
        self.processes.wait()
        mine = self.folder / f"progress-{self.processes.rank}-of-{self.processes.world}.json"
        begun = json.loads(mine.read_text())["done"] if mine.exists() and self.same(mine) else 0
        chunk = self.options.chunk
        starts = range(0, self.shape.pictures, chunk)[self.processes.rank::self.processes.world]
        files = {
            name: np.load(self.folder / f"{name}.npy", mmap_mode="r+") for name in self.shape.arrays()}
        finished = True
        with ThreadPoolExecutor(self.options.threads) as pool:
            bar = tqdm(starts[begun:], desc="latents", disable=None, unit="chunk")
            for number, start in enumerate(bar, begun + 1):
                self.encode(files, pool, range(start, min(start + chunk, self.shape.pictures)))
                if number % 8 == 0 or number == len(starts):
                    write_json(mine, {"done": number, "store": self.key()})
                passed, = self.processes.agree(float(deadline is not None and deadline.passed))
                if passed and number < len(starts):
                    write_json(mine, {"done": number, "store": self.key()})
                    finished = False
                    break
        for file in files.values():
            file.flush()
        self.processes.wait()
        if finished and self.processes.leads:
            write_json(self.folder / "progress.json", {"done": self.shape.pictures})
            for part in self.folder.glob("progress-*.json"):
                part.unlink()
        self.processes.wait()
        return finished

    def key(self):
        """What the progress of a process belongs to."""
        return f"{self.shape.autoencoder} {self.shape.pictures} {self.options.chunk}"

    def same(self, path):
        """Whether progress that was written belongs to this work."""
        return json.loads(path.read_text()).get("store") == self.key()

    @torch.no_grad()
    def encode(self, files, pool, numbers):
        """All variants of a chunk."""
        device, options, width = self.processes.device, self.options, self.shape.latent[2]
        random = generator(device, options.seed, numbers[0], stream=1)
        loaded = np.stack(list(pool.map(self.pictures.load, numbers)))
        chunk = torch.from_numpy(loaded).permute(0, 3, 1, 2).to(device)
        keypoints = torch.from_numpy(self.pictures.keypoints[numbers[0]:numbers[-1] + 1]).to(device)
        height, width = self.pictures.size
        span = slice(numbers[0], numbers[-1] + 1)
        if self.shape.surface:
            files["surfaces"][span] = self.pictures.surfaces[span]
        for turn in range(options.turns):
            turned = chunk.flip(-1) if turn else chunk
            pose = mirror(keypoints, width) if turn else keypoints
            for colour, (matrix, offset) in enumerate(zip(*colour_shifts(options.colours, random), strict=True)):
                changed = shift_colours(turned, matrix, offset) if colour else turned
                self.keep(files, "latents", span, turn * options.colours + colour, changed,
                          self.encoders.source_entry)
            for number in range(options.jitters):
                drawn = options.drawer(jitter(pose, random) if number else pose, height, width)
                self.keep(files, "pose_latents", span, turn * options.jitters + number, drawn,
                          self.encoders.pose_entry)

    def keep(self, files, name, span, variant, pictures, entry):
        """Writes the latents of pictures and what goes with them."""
        with autocast(self.processes.device, self.options.precision):
            latents = self.autoencoder.encode(pictures.float() / 127.5 - 1)
            beside, values = entry(pictures)
        files[name][span, variant] = latents.to(torch.float16).cpu().numpy()
        kind = torch.uint8 if values.dtype == torch.uint8 else torch.float16
        files[beside][span, variant] = values.to(kind).cpu().numpy()


def within(pictures, count):
    """Offsets and neighbours of the first `count` pictures, pairs with others left out."""
    offsets = np.zeros(count + 1, np.int64)
    kept = []
    for i in range(count):
        row = pictures.neighbours[pictures.offsets[i]:pictures.offsets[i + 1]]
        kept.append(row[row < count])
        offsets[i + 1] = offsets[i] + len(kept[-1])
    if offsets[-1] == 0:
        raise RecipeError(f"{pictures.name}: no pairs among the first {count} pictures")
    return offsets, np.concatenate(kept)


def precompute(pictures, folder, autoencoder, encoders, options, processes, deadline=None):
    """Fills `folder`; gives whether it is done."""
    return Precomputation(pictures, folder, autoencoder, encoders, options, processes).run(deadline)
