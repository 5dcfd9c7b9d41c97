"""Writes `Tests/Goldens/vision/source-blend.json`: pictures that a detail decoder should bring the source's pixels into.

    python Tests/Goldens/make_detail.py        # what make_vision.py needs

The expected pictures are computed here by SciPy, apart from engine and recipe.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from make_vision import b64, pattern, write

CELL = 4


def pictures(width, height):
    """(picture, source, reconstruction), which differ more and more towards the right; uint8 [H, W, 3]."""
    source, reconstruction = pattern(width, height, 1), pattern(width, height) // 2 + 64
    away = (np.arange(width) ** 2 // 24)[None, :, None]
    return np.minimum(reconstruction + away, 255).astype(np.uint8), source, reconstruction


def blended(picture, source, reconstruction, sigma, tolerance, flatness):
    height, width, _ = picture.shape
    radius = int(np.ceil(3 * sigma / CELL))

    def cells(plane):
        return plane.reshape(height // CELL, CELL, width // CELL, CELL).mean(axis=(1, 3))

    def blur(plane):
        return gaussian_filter(plane, sigma / CELL, mode="reflect", radius=radius)

    apart = blur(cells(np.abs(picture.astype(float) - reconstruction).mean(axis=2) / 127.5))
    one, other = (cells(p.mean(axis=2) / 127.5) for p in (picture, reconstruction))
    together = blur(one * other) - blur(one) * blur(other)
    both = blur(one * one) - blur(one) ** 2 + blur(other * other) - blur(other) ** 2
    structure = np.maximum((2 * together + flatness) / (both + flatness), 0)
    shares = np.exp(-((apart / tolerance) ** 2)) * structure**2
    middles = [np.arange(count) * CELL + (CELL - 1) / 2 for count in shares.shape]
    shares = np.stack([np.interp(np.arange(width), middles[1], row) for row in shares])
    shares = np.stack([np.interp(np.arange(height), middles[0], column) for column in shares.T], axis=1)
    old = picture.astype(float)
    return np.floor(old + shares[..., None] * (source - old) + 0.5).astype(np.uint8)


def main():
    cases = []
    for width, height, *how in [(40, 24, 4.0, 0.1, 0.004), (24, 40, 6.5, 0.3, 0.5), (8, 4, 20.0, 0.05, 0.01)]:
        cases.append({"width": width, "height": height, **dict(zip(("sigma", "tolerance", "flatness"), how)),
                      "expected": b64(blended(*pictures(width, height), *how).tobytes())})
    write("source-blend.json", {"cases": cases})


if __name__ == "__main__":
    main()
