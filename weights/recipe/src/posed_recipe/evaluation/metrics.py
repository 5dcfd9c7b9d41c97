"""PSNR, SSIM and sharpness of 8-bit pictures, whole and inside a mask, in double precision.

SSIM is scikit-image's with a Gaussian window of 11, sigma 1.5, population covariance, range 255: the mean
over the three channels and over the pixels whose whole window lies inside; inside a mask over its pixels,
the picture's edge reflected. Sharpness is of 8-bit luma (Rec. 601, rounded as Pillow does), as a share of the
reference's: `gradient_ratio`, the mean of |dx| plus the mean of |dy|; `detail_ratio`, the variance of the picture minus
its blur by that window.
"""

from functools import lru_cache

import numpy as np

RADIUS, SIGMA = 5, 1.5
FLAT = 1e-9
"""What is no more than rounding."""
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


def luma(picture):
    """uint8 [H, W, 3] -> int [H, W]"""
    red, green, blue = (picture[..., channel].astype(np.int64) for channel in range(3))
    return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16


def sharpness(picture, mask=None):
    """Gradient and detail of uint8 [H, W, 3]; in a mask, of differences whose two pixels are both in it."""
    plane = luma(picture)
    rows, columns = (blurring(side) for side in plane.shape)
    fine = plane - rows @ plane @ columns.T
    across, down = np.abs(np.diff(plane, axis=1)), np.abs(np.diff(plane, axis=0))
    if mask is not None:
        across, down = across[mask[:, 1:] & mask[:, :-1]], down[mask[1:] & mask[:-1]]
        fine = fine[mask]
    if not across.size or not down.size:
        return 0.0, 0.0
    return float(across.mean() + down.mean()), float(fine.var())


def shares(image, reference, mask=None, suffix=""):
    """The picture's sharpness as a share of the reference's; a flat reference has none."""
    pairs = zip(("gradient_ratio", "detail_ratio"), sharpness(image, mask), sharpness(reference, mask), strict=True)
    return {name + suffix: one / other for name, one, other in pairs if other > FLAT}


def scores(image, reference, mask=None):
    """All measures of a pair of uint8 pictures [H, W, 3]."""
    similarity = similarity_map(image, reference)
    inner = similarity[RADIUS:-RADIUS, RADIUS:-RADIUS]
    found = {"ssim": float(inner.mean()), "psnr": float(psnr(image, reference)),
             **shares(image, reference)}
    if mask is not None and mask.any():
        found["ssim_mask"] = float(similarity[mask].mean())
        found["psnr_mask"] = float(psnr(image, reference, mask))
        found |= shares(image, reference, mask, "_mask")
    return found


def closed(metrics):
    """The share of the gap between copying and reconstructing that the output closes, for each metric of likeness."""
    return {
        name: (row["output"] - row["copy"]) / (row["reconstruction"] - row["copy"])
        for name, row in metrics.items() if "ratio" not in name and row["reconstruction"] != row["copy"]
    }
