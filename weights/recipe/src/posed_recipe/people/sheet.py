"""Contact sheets: a row for each identity, a column for each pose."""

import numpy as np
from PIL import Image

from .skeleton import draw
from .studio import shared_studio

_PART_COLORS = np.random.default_rng(5).integers(40, 256, (256, 3), np.uint8)
_PART_COLORS[0] = 0


def write_sheet(path, identities=8, poses=4, seed=0, size=256, view="pictures", split="train",
                signing=0.):
    """Writes a sheet as PNG; `view` "poses" adds each pose over its picture, "parts" each part map beside it."""
    studio = shared_studio(size)
    rows = []
    for number in range(identities):
        row = []
        for shot in studio.shots(split, seed, number, poses, signing):
            row.append(shot.picture)
            if view == "poses":
                pose = draw(shot.keypoints, size)
                row[-1] = np.where(pose.any(-1, keepdims=True), pose // 2 + shot.picture // 2, shot.picture)
            elif view == "parts":
                row.append(_PART_COLORS[shot.parts])
        rows.append(np.concatenate(row, 1))
    Image.fromarray(np.concatenate(rows, 0)).save(path)
