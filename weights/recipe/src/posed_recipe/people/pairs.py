"""Held-out pairs in the layout that `posekit eval` reads."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from . import assets
from .identity import generator
from .landmarks import ABSENT
from .shards import mask_png
from .studio import shared_studio
from .workers import results

PAIRS_PER_JOB = 20
FEWEST_SEEN = 8
"""A target shows at least so many keypoints, so that its pose says something."""


def write_pairs(out, count, seed=0, workers=1, size=256, split="heldout", signing=False):
    """Writes `count` pairs, each of an identity of its own, and `pairs.jsonl`; all of `signing` before a fixed camera, or
    none."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    assets.load()  # built once, before processes ask for it
    jobs = [(out, range(start, min(start + PAIRS_PER_JOB, count)), seed, size, split, signing)
            for start in range(0, count, PAIRS_PER_JOB)]
    lines = []
    with tqdm(total=count, unit="pairs") as bar:
        for made in results(_write_some, jobs, workers):
            lines += made
            bar.update(len(made))
    lines.sort(key=lambda line: line["identity"])
    (out / "pairs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _write_some(job):
    """Writes the pictures of some pairs; returns their lines."""
    out, numbers, seed, size, split, signing = job
    studio, lines = shared_studio(size), []
    for number in numbers:
        if signing:
            source, target = studio.shots(split, seed, number, 2, signing=1.)
        else:
            sitting = studio.person(split, seed, number)
            source = sitting.shoot(generator(split, seed, number, 2))
            target = _telling(sitting, split, seed, number)
        names = {kind: f"{number:05d}-{kind}.png" for kind in ("source", "target", "mask")}
        Image.fromarray(source.picture).save(out / names["source"])
        Image.fromarray(target.picture).save(out / names["target"])
        (out / names["mask"]).write_bytes(mask_png(target.mask))
        lines.append({
            **names, "keypoints": listed(target.keypoints), "hands": [listed(hand) for hand in target.hands],
            "face": listed(target.face), "source_keypoints": listed(source.keypoints), "identity": number})
    return lines


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
