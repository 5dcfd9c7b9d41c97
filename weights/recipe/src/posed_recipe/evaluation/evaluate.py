"""`posed-recipe evaluate`: the measures of `posekit eval`, by the reference implementation."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from posed_recipe.errors import RecipeError
from posed_recipe.evaluation.metrics import closed, scores
from posed_recipe.evaluation.synthesizer import Synthesizer, read_picture
from posed_recipe.pose.skeleton import BODY, FACE, HAND

ANSWERS = ("output", "copy", "reconstruction")


@dataclass
class Pair:
    """A line of `pairs.jsonl`, with everything at the model's size."""

    source: np.ndarray
    target: np.ndarray
    keypoints: np.ndarray
    mask: np.ndarray | None


def read_pairs(folder, size, limit=None):
    """The pairs of a folder, one after another."""
    folder = Path(folder)
    path = folder / "pairs.jsonl"
    if not path.exists():
        raise RecipeError(f"{folder}: pairs.jsonl expected, but there is none")
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    if not lines:
        raise RecipeError(f"{path}: pairs expected, but it is empty")
    for line in lines[:limit]:
        entry = json.loads(line)
        with Image.open(folder / entry["target"]) as picture:
            scale = np.asarray([size[1] / picture.width, size[0] / picture.height, 1], np.float32)
        points = points_of(entry)
        mask = None
        if entry.get("mask"):
            with Image.open(folder / entry["mask"]) as picture:
                white = picture.convert("L").resize((size[1], size[0]), Image.Resampling.NEAREST)
                mask = np.asarray(white) >= 128
        yield Pair(
            read_picture(folder / entry["source"], size), read_picture(folder / entry["target"], size),
            np.asarray(points, np.float32) * scale, mask)


def points_of(entry):
    """All points [130, 3] of a line: body, hands and face; what is not there is absent."""
    hands = entry.get("hands") or [None, None]
    parts = [(entry["keypoints"], BODY), (hands[0], HAND), (hands[1], HAND), (entry.get("face"), FACE)]
    rows = [row for points, count in parts for row in (points or [None] * count)]
    return [row if row is not None else [-1, -1, 0] for row in rows]


def stacked(pairs):
    """Sources [B, H, W, 3], targets and points [B, 130, 3] of several pairs."""
    return tuple(np.stack([getattr(pair, name) for pair in pairs]) for name in ("source", "target", "keypoints"))


def batches(items, count):
    """Lists of `count` items."""
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == count:
            yield batch
            batch = []
    if batch:
        yield batch


def evaluate(model, data, settings, limit=None, batch=25, sheet=None, reconstructor=None):
    """Measures a `ModelFolder` on the pairs of a folder; gives the report as `posekit eval` writes it. Reconstructions are
    those of `reconstructor`, an autoencoder, where it is given, so that models of different autoencoders compare."""
    synthesizer = Synthesizer(model)
    reconstructing = Synthesizer(model if reconstructor is None else replace(model, vae=reconstructor))
    totals = {name: {} for name in ANSWERS}
    counts, done, shown = {}, 0, []
    pool = ThreadPoolExecutor()
    for pairs in tqdm(batches(read_pairs(data, model.size, limit), batch), desc="evaluate", disable=None):
        sources, targets, keypoints = stacked(pairs)
        answers = {
            "output": synthesizer.synthesize(sources, keypoints, settings, done),
            "copy": sources,
            "reconstruction": reconstructing.reconstruct(targets),
        }
        for name, pictures in answers.items():
            for row in pool.map(lambda one, pair: scores(one, pair.target, pair.mask), pictures, pairs):
                for metric, value in row.items():
                    totals[name][metric] = totals[name].get(metric, 0.0) + value
                    counts[name, metric] = counts.get((name, metric), 0) + 1
        shown += [(*row,) for row in zip(sources, keypoints, answers["output"], targets, strict=True)]
        done += len(pairs)
    metrics = {
        metric: {name: totals[name][metric] / counts[name, metric] for name in ANSWERS}
        for metric in totals["output"]
    }
    if sheet is not None:
        Image.fromarray(contact_sheet(shown[:16], model.pose_drawer)).save(sheet)
    return {"pairs": done, "settings": settings.describe(), "metrics": metrics, "closed": closed(metrics)}


def contact_sheet(rows, drawer):
    """Source, pose, output, target of each row side by side: uint8 [rows*H, 4*W, 3]."""
    painted = []
    for source, keypoints, output, target in rows:
        height, width = source.shape[:2]
        pose = drawer(as_batch(keypoints), height, width)[0].permute(1, 2, 0).numpy()
        painted.append(np.concatenate([source, pose, output, target], axis=1))
    return np.concatenate(painted, axis=0)


def as_batch(keypoints):
    """[n, 3] -> a tensor [1, n, 3]"""
    return torch.from_numpy(np.asarray(keypoints, np.float32))[None]
