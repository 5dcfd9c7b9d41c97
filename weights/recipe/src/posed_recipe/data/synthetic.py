"""The synthetic set, as `posed-recipe people make` writes it: tars of JPEGs, and an index for each."""

import io
import os
from pathlib import Path

import numpy as np
from PIL import Image

from posed_recipe.data.pictures import PictureSet, fit, pairs_of_groups
from posed_recipe.errors import RecipeError
from posed_recipe.pose.skeleton import BODY, FACE, HAND

SIDE = 256


def finished_shards(folder):
    """The indices of the shards that are finished; a set can be read while it is being made."""
    return sorted(Path(folder).glob("shard-*.npz"))


def read_synthetic(folder, size=(SIDE, SIDE), indices=None):
    """The pictures of all finished shards, or of these; every two of one person make two pairs."""
    spans, keypoints, identity, surfaces, shard, tars = [], [], [], [], [], []
    for index in finished_shards(folder) if indices is None else indices:
        with np.load(index) as arrays:
            spans.append(arrays["picture"])
            keypoints.append(points_of(arrays))
            identity.append(arrays["identity"])
            surfaces += [arrays["surface"]] if "surface" in arrays else []
        shard.append(np.full(len(identity[-1]), len(tars)))
        tars.append(index.with_suffix(".tar"))
    if not tars:
        raise RecipeError(f"{folder}: shards of pictures expected, but none is finished")
    identity = np.concatenate(identity)
    order = np.argsort(identity, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(identity[order])) + 1)
    scale = np.asarray([size[1] / SIDE, size[0] / SIDE, 1], np.float32)
    load = ShardPictures(tars, np.concatenate(shard), np.concatenate(spans), size)
    return PictureSet(tuple(size), np.concatenate(keypoints) * scale, load,
                      *pairs_of_groups(groups, len(identity)), name=str(folder),
                      surfaces=np.concatenate(surfaces) if len(surfaces) == len(tars) else None)


def points_of(arrays):
    """All points of a shard's people, float32 [n, 130, 3]; hands and faces that it does not have are absent."""
    count = len(arrays["keypoints"])
    parts = [("keypoints", BODY), ("hands", 2 * HAND), ("face", FACE)]
    return np.concatenate([
        arrays[name].astype(np.float32).reshape(count, size, 3) if name in arrays else np.zeros((count, size, 3), np.float32)
        for name, size in parts], axis=1)


class ShardPictures:
    """Reads JPEGs straight out of the tars."""

    def __init__(self, tars, shard, spans, size):
        self.files = [os.open(tar, os.O_RDONLY) for tar in tars]
        self.shard, self.spans, self.size = shard, spans, size

    def __call__(self, i):
        offset, length = (int(number) for number in self.spans[i])
        data = os.pread(self.files[self.shard[i]], length, offset)
        return fit(Image.open(io.BytesIO(data)), self.size)

    def __del__(self):
        for file in getattr(self, "files", []):
            os.close(file)
