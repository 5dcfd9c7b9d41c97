"""Held-out pairs in the layout that `posekit eval` reads."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from .identity import generator
from .landmarks import ABSENT
from .shards import mask_png

FEWEST_SEEN = 8
"""A target shows at least so many keypoints, so that its pose says something."""


def write_pairs(out, count, seed=0, size=256, split="heldout"):
    """Writes `count` pairs, each of an identity of its own, and `pairs.jsonl`."""
    from .studio import Studio

    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    studio, lines = Studio(size), []
    for number in tqdm(range(count), unit="pairs"):
        sitting = studio.person(split, seed, number)
        source = sitting.shoot(generator(split, seed, number, 2))
        target = _telling(sitting, split, seed, number)
        names = {kind: f"{number:05d}-{kind}.png" for kind in ("source", "target", "mask")}
        Image.fromarray(source.picture).save(out / names["source"])
        Image.fromarray(target.picture).save(out / names["target"])
        (out / names["mask"]).write_bytes(mask_png(target.mask))
        lines.append(json.dumps({
            "source": names["source"], "target": names["target"], "keypoints": listed(target.keypoints),
            "mask": names["mask"], "source_keypoints": listed(source.keypoints), "identity": number}))
    (out / "pairs.jsonl").write_text("\n".join(lines) + "\n")


def _telling(sitting, split, seed, number):
    for attempt in range(8):
        target = sitting.shoot(generator(split, seed, number, 3 + attempt))
        if np.count_nonzero(target.keypoints[:, 2] > ABSENT) >= FEWEST_SEEN:
            break
    return target


def listed(keypoints):
    """Keypoints as lists for JSON; those that are absent as zeros."""
    present = keypoints[:, 2:] > ABSENT
    return np.round(np.where(present, keypoints, 0).astype(float), 2).tolist()
