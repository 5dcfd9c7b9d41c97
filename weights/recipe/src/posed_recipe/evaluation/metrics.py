"""PSNR and SSIM of 8-bit pictures, whole and inside a mask, in double precision.

SSIM is scikit-image's with a Gaussian window of 11, sigma 1.5, population covariance, range 255: the mean
over the three channels and over the pixels whose whole window lies inside; inside a mask over its pixels,
the picture's edge reflected.
"""

from functools import lru_cache

import numpy as np

RADIUS, SIGMA = 5, 1.5
CEILING = 100.0
"""What equal pictures count as, in decibels."""


def psnr(a, b, mask=None):
    """Decibels of uint8 [H, W, 3]; `mask` bool [H, W] counts some pixels alone."""
    difference = a.astype(np.float64) - b
    squares = np.square(difference if mask is None else difference[mask])
    mean = squares.mean()
    return CEILING if mean == 0 else min(CEILING, 10 * np.log10(255**2 / mean))


def similarity_map(a, b):
    """The similarity around each pixel, averaged over the channels: float64 [H, W]."""
    x, y = (picture.astype(np.float64).transpose(2, 0, 1) for picture in (a, b))
    rows, columns = (blurring(side) for side in a.shape[:2])
    mean_x, mean_y, xx, yy, xy = (rows @ plane @ columns.T for plane in (x, y, x * x, y * y, x * y))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    covariance = xy - mean_x * mean_y
    variances = xx - mean_x**2 + yy - mean_y**2
    top = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return (top / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))).mean(axis=0)


@lru_cache
def blurring(side):
    """The Gaussian window as a matrix [side, side]; beyond the edge the picture is mirrored."""
    offset = np.arange(-RADIUS, RADIUS + 1)
    window = np.exp(-(offset**2) / (2 * SIGMA**2))
    window /= window.sum()
    matrix = np.zeros((side, side))
    for row in range(side):
        for step, weight in zip(offset, window, strict=True):
            column = row + step
            column = -1 - column if column < 0 else 2 * side - 1 - column if column >= side else column
            matrix[row, column] += weight
    return matrix


def scores(image, reference, mask=None):
    """All measures of a pair of uint8 pictures [H, W, 3]."""
    similarity = similarity_map(image, reference)
    inner = similarity[RADIUS:-RADIUS, RADIUS:-RADIUS]
    found = {"ssim": float(inner.mean()), "psnr": float(psnr(image, reference))}
    if mask is not None and mask.any():
        found["ssim_mask"] = float(similarity[mask].mean())
        found["psnr_mask"] = float(psnr(image, reference, mask))
    return found


def closed(metrics):
    """The share of the gap between copying and reconstructing that the output closes, for each metric."""
    return {
        name: (row["output"] - row["copy"]) / (row["reconstruction"] - row["copy"])
        for name, row in metrics.items() if row["reconstruction"] != row["copy"]
    }
