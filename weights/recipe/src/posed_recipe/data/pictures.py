"""What training needs of any data set, whatever its layout on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
from PIL import Image

from posed_recipe.errors import RecipeError


@dataclass
class PictureSet:
    """n pictures, their poses, and their pairs."""

    size: tuple[int, int]
    """(height, width) of the pictures as they are loaded."""
    keypoints: np.ndarray
    """float32 [n, 18, 3], or with hands and faces [n, 130, 3] (`pose.skeleton`), in pixels of `size`."""
    load: Callable[[int], np.ndarray]
    """Picture i as uint8 [H, W, 3] of `size`; safe to call from several threads."""
    offsets: np.ndarray
    """int64 [n + 1]; the targets of source i are neighbours[offsets[i]:offsets[i + 1]]."""
    neighbours: np.ndarray
    """int64, numbers of pictures."""
    name: str = ""
    surfaces: np.ndarray | None = None
    """uint8 [n, c, c, 4], where it is known which place on the person is seen where; `people.renderer.Surface`."""

    def __post_init__(self):
        if len(self.keypoints) == 0:
            raise RecipeError(f"{self.name}: pictures expected, but there are none")
        if len(self.neighbours) == 0:
            raise RecipeError(f"{self.name}: pairs of pictures of one person expected, but there are none")

    def __len__(self):
        return len(self.keypoints)


def pairs_of_groups(groups, count):
    """Offsets and neighbours where every ordered pair of a group counts."""
    targets = [np.zeros(0, np.int64)] * count
    for group in groups:
        group = np.asarray(group, np.int64)
        for number, picture in enumerate(group):
            targets[picture] = np.delete(group, number)
    return ragged(targets)


def pairs_of_list(pairs, count):
    """Offsets and neighbours of explicit (source, target) numbers."""
    targets = [[] for _ in range(count)]
    for source, target in pairs:
        targets[source].append(target)
    return ragged([np.asarray(row, np.int64) for row in targets])


def ragged(rows):
    """Rows of different lengths as offsets and one array."""
    offsets = np.zeros(len(rows) + 1, np.int64)
    offsets[1:] = np.cumsum([len(row) for row in rows])
    values = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    return offsets, values.astype(np.int64)


def fit(picture, size):
    """A PIL picture as uint8 [H, W, 3] of `size` (height, width), resized as Pillow does it."""
    picture = picture.convert("RGB")
    if (picture.height, picture.width) != tuple(size):
        picture = picture.resize((size[1], size[0]), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def read_pictures(folder, size=(256, 256), split="train"):
    """The data set in a folder, told by what lies there."""
    from posed_recipe.data.deepfashion import read_deepfashion
    from posed_recipe.data.synthetic import read_synthetic

    folder = Path(folder)
    if not folder.is_dir():
        raise RecipeError(f"{folder}: a folder with a data set expected, but there is none")
    if (folder / "index.json").exists() or list(folder.glob("shard-*.npz")):
        return read_synthetic(folder, size)
    return read_deepfashion(folder, size, split)
