"""The picture of a pose that the model is given: limbs and joints in OpenPose's colours on black."""

import numpy as np

from .landmarks import LIMBS

COLORS = np.array([
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170), (255, 0, 85)], np.float32)
LEAST_CONFIDENCE = .05


def draw(keypoints, size):
    """uint8 (size, size, 3) of (18, 3) keypoints in pixels: capsules at 0.6 of their colour, then discs."""
    canvas = np.zeros((size, size, 3), np.float32)
    radius = 4 * size / 256
    present = (keypoints[:, 2] >= LEAST_CONFIDENCE) & (keypoints[:, :2] >= 0).all(1)
    for number, (a, b) in enumerate(LIMBS):
        if present[a] and present[b]:
            _stroke(canvas, keypoints[a, :2], keypoints[b, :2], radius, COLORS[number] * np.float32(.6))
    for number in np.flatnonzero(present):
        _stroke(canvas, keypoints[number, :2], keypoints[number, :2], radius, COLORS[number])
    return np.floor(canvas + .5).astype(np.uint8)


def _stroke(canvas, a, b, radius, color):
    size = len(canvas)
    low = np.clip(np.floor(np.minimum(a, b) - radius - 1), 0, size).astype(int)
    high = np.clip(np.ceil(np.maximum(a, b) + radius + 1), 0, size).astype(int)
    x, y = np.arange(low[0], high[0]) + .5, np.arange(low[1], high[1])[:, None] + .5
    d = (b - a).astype(float)
    along = np.clip(((x - a[0]) * d[0] + (y - a[1]) * d[1]) / max(d @ d, 1e-9), 0, 1)
    distance = np.hypot(x - a[0] - along * d[0], y - a[1] - along * d[1])
    cover = np.clip(radius + .5 - distance, 0, 1)[..., None].astype(np.float32)
    patch = canvas[low[1]:high[1], low[0]:high[0]]
    patch += cover * (color - patch)
