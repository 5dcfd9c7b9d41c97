"""Latents on disk, as arrays that are mapped into memory.

| file | what |
| --- | --- |
| `store.json` | format, sizes, fingerprint of the autoencoder |
| `latents.npy` | float16 [n, V, C, h, w]: picture i in variant v = turned · colours + colour |
| `thumbnails.npy` | uint8 [n, V, 3, S, S]: the same pictures as the encoder takes them, not normalized |
| `features.npy` | or, with an encoder that is not trained: float16 [n, V, T, F], its last hidden states |
| `pose_latents.npy`, `pose_thumbnails.npy`, `pose_features.npy` | the same of the poses' pictures, [n, P, …], variant p = turned · jitters + jitter |
| `surfaces.npy` | uint8 [n, c, c, 4], of synthetic people: which place on the person is where, as `people` keeps it |
| `offsets.npy`, `neighbours.npy` | which pictures make pairs (`data.PictureSet`) |
| `progress.json` | how many pictures are done |
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from posed_recipe.errors import RecipeError
from posed_recipe.pose import PoseDrawer
from posed_recipe.weights import write_json

FORMAT = 1


@dataclass(frozen=True)
class StoreShape:
    """What `store.json` says."""

    pictures: int
    turns: int
    colours: int
    jitters: int
    latent: tuple[int, int, int]
    thumbnail: int | None
    """Side of the pictures kept for an encoder that is trained jointly."""
    source_features: tuple[int, int] | None
    pose_features: tuple[int, int] | None
    autoencoder: str
    """Fingerprint of the weights that made the latents."""
    name: str = ""
    surface: int | None = None
    """Side of the maps of places on the person, where they are known."""
    drawer: PoseDrawer = field(default_factory=PoseDrawer)
    """How the poses were drawn."""
    format: int = FORMAT

    @classmethod
    def read(cls, folder):
        """Reads `store.json`."""
        path = Path(folder) / "store.json"
        if not path.exists():
            raise RecipeError(f"{folder}: precomputed latents expected, but there is no store.json")
        values = json.loads(path.read_text())
        if values.get("format") != FORMAT:
            raise RecipeError(f'{path}: "format" must be {FORMAT}, but it is {values.get("format")}')
        values["drawer"] = PoseDrawer(**values.get("drawer", {}))
        pairs = ("latent", "source_features", "pose_features")
        return cls(**{
            key: tuple(value) if key in pairs and value is not None else value
            for key, value in values.items()})

    def write(self, folder):
        """Writes `store.json`."""
        write_json(Path(folder) / "store.json", asdict(self))

    def arrays(self):
        """Names, types and shapes of the arrays that are there."""
        n, v, p = self.pictures, self.turns * self.colours, self.turns * self.jitters
        arrays = {
            "latents": ("<f2", (n, v, *self.latent)),
            "pose_latents": ("<f2", (n, p, *self.latent)),
        }
        if self.thumbnail:
            arrays["thumbnails"] = ("|u1", (n, v, 3, self.thumbnail, self.thumbnail))
            arrays["pose_thumbnails"] = ("|u1", (n, p, 3, self.thumbnail, self.thumbnail))
        if self.source_features:
            arrays["features"] = ("<f2", (n, v, *self.source_features))
        if self.pose_features:
            arrays["pose_features"] = ("<f2", (n, p, *self.pose_features))
        if self.surface:
            arrays["surfaces"] = ("|u1", (n, self.surface, self.surface, 4))
        return arrays


def room_on(device):
    """Bytes that arrays may take of a device: half of what is free on a GPU, which keeps the rest for the training.
    On the CPU arrays are mapped, so the system decides what stays in memory."""
    return torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else 0


class LatentStore:
    """The arrays of a folder. The smallest lie on the device, as many as `room` bytes hold (default: `room_on`); the
    others stay mapped on the host, and the rows that a step needs are copied from there."""

    def __init__(self, folder, device="cpu", room=None):
        folder = self.folder = Path(folder)
        self.shape = StoreShape.read(folder)
        done = json.loads((folder / "progress.json").read_text())["done"]
        if done < self.shape.pictures:
            raise RecipeError(
                f"{folder}: latents of {self.shape.pictures} pictures expected, but only {done} are done; "
                "run the same precomputation again, it goes on where it stopped")
        self.device = torch.device(device)
        self.offsets = torch.from_numpy(np.load(folder / "offsets.npy")).to(self.device)
        self.neighbours = torch.from_numpy(np.load(folder / "neighbours.npy")).to(self.device)
        self.arrays = {
            name: torch.from_numpy(np.load(folder / f"{name}.npy", mmap_mode="c")) for name in self.shape.arrays()}
        left = room_on(self.device) if room is None else room
        for name, array in sorted(self.arrays.items(), key=lambda item: item[1].nbytes):
            if array.nbytes > left:
                break
            self.arrays[name] = array.to(self.device)
            left -= array.nbytes

    def __len__(self):
        return self.shape.pictures

    @property
    def streamed(self):
        """Names and bytes of the arrays whose rows are copied from the host, where that is another device."""
        return {name: a.nbytes for name, a in self.arrays.items() if a.device != self.device}

    def people(self):
        """A number for each picture [n], the same for all that pairs join: those of one person in one set of clothes."""
        offsets, neighbours = self.offsets.cpu().numpy(), self.neighbours.cpu().numpy()
        labels = np.arange(len(offsets) - 1)
        sources = np.repeat(labels, np.diff(offsets))
        while True:
            least = np.minimum(labels[sources], labels[neighbours])
            found = labels.copy()
            np.minimum.at(found, sources, least)
            np.minimum.at(found, neighbours, least)
            if np.array_equal(found, labels):
                return labels
            labels = found

    def gather(self, name, pictures, variants):
        """Entries [...] of an array by numbers of the device; floats come as float32."""
        array = self.arrays[name]
        found = array[pictures.to(array.device), variants.to(array.device)].to(self.device)
        return found.float() if found.is_floating_point() else found

    def surfaces(self, pictures, turned):
        """Places on the person, uint8 [..., c, c, 4], by numbers [...] of pictures, turned left to right where so said."""
        array = self.arrays["surfaces"]
        found = array[pictures.to(array.device)].to(self.device)
        return torch.where(turned[..., None, None, None], found.flip(-2), found)

    def sources(self):
        """Numbers of the pictures that have a target."""
        return torch.nonzero(self.offsets[1:] > self.offsets[:-1])[:, 0]
