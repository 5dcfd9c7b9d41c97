"""Details from the source: the part `detail_decoder` of a model folder.

What a decoder paints is softer than the source. Where a picture looks like the autoencoder's reconstruction of the
source, both show the same thing, so the source's own pixels take the picture's place there. Both colours and structure
must be alike: by colours alone, outlines of the source would shine through where the person has moved away. This needs
no weights.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from posed_recipe.errors import RecipeError
from posed_recipe.weights import write_json

CELL = 4
"""The side, in pixels, of the cells in which pictures are compared."""


@dataclass
class SourceBlend:
    """Keys of `detail_decoder/config.json`."""

    sigma: float = 4.0
    """The deviation of the blur of differences, in pixels."""
    tolerance: float = 0.14
    """The blurred difference, in half ranges, at which the source's share has fallen to 1/e."""
    flatness: float = 0.004
    """The variance of the brightness, in squares of half ranges, that counts as none."""

    @classmethod
    def from_pretrained(cls, folder):
        """The part in a folder; None where there is none."""
        file = Path(folder) / "config.json"
        if not file.exists():
            return None
        values = json.loads(file.read_text())
        name = values.pop("_class_name", None)
        if name != cls.__name__:
            raise RecipeError(f'{file}: the class "{cls.__name__}" was expected, but it is {json.dumps(name)}')
        return cls(**values)

    def save_pretrained(self, folder):
        """Writes `config.json`."""
        write_json(Path(folder) / "config.json", {"_class_name": type(self).__name__, **asdict(self)})

    def shares(self, pictures, reconstructions):
        """How much of each pixel is the source's, from 0 to 1: float32 [B, H, W] of uint8 [B, H, W, 3]."""
        count, height, width, _ = pictures.shape
        rows, columns = height // CELL, width // CELL
        down, across = blurring(rows, self.sigma / CELL), blurring(columns, self.sigma / CELL)

        def means(bytes_):
            return bytes_.reshape(count, rows, CELL, columns, CELL * 3).mean(axis=(2, 4)) / 127.5

        def blur(cells):
            return down @ cells @ across.T

        apart = blur(means(np.abs(pictures.astype(np.int32) - reconstructions)))
        one, other = means(pictures), means(reconstructions)
        together = blur(one * other) - blur(one) * blur(other)
        both = blur(one * one + other * other) - blur(one)**2 - blur(other)**2
        structure = np.maximum((2 * together + self.flatness) / (both + self.flatness), 0)
        cells = np.exp(-np.square(apart / self.tolerance)) * np.square(structure)
        return (between(rows) @ cells @ between(columns).T).astype(np.float32)

    def __call__(self, pictures, sources, reconstructions):
        """Decoded pictures with the sources' details; all uint8 [B, H, W, 3]."""
        shares = self.shares(pictures, reconstructions)[..., None]
        old = pictures.astype(np.float32)
        return np.floor(old + shares * (sources - old) + 0.5).astype(np.uint8)


def blurring(side, sigma):
    """[side, side]: a Gaussian window around each place, to three deviations; beyond the edges it is mirrored."""
    radius = int(np.ceil(3 * sigma))
    offsets = np.arange(-radius, radius + 1)
    window = np.exp(-np.square(offsets) / (2 * sigma**2))
    matrix = np.zeros((side, side))
    for row in range(side):
        places = np.mod(row + offsets, 2 * side)
        np.add.at(matrix[row], np.where(places < side, places, 2 * side - 1 - places), window / window.sum())
    return matrix


def between(side):
    """[side * CELL, side]: linear interpolation between the middles of cells."""
    at = np.clip((np.arange(side * CELL) + 0.5) / CELL - 0.5, 0, side - 1)
    low = np.minimum(at.astype(int), max(side - 2, 0))
    matrix = np.zeros((side * CELL, side))
    every = np.arange(side * CELL)
    matrix[every, low] = 1 - (at - low)
    matrix[every, np.minimum(low + 1, side - 1)] += at - low
    return matrix
