"""Checkpoints: written as a whole or not at all."""

import os
from pathlib import Path

import torch

from posed_recipe.errors import RecipeError

NAME = "checkpoint.pt"
BEST = "best.pt"
"""The averaged weights of the least validation loss, and that loss."""


def write_checkpoint(folder, state, name=NAME):
    """Writes `state` so that a process killed in between leaves the old checkpoint."""
    path = Path(folder) / name
    unfinished = path.with_suffix(".unfinished")
    with open(unfinished, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def read_checkpoint(folder, device, name=NAME):
    """The state that was written, or None where there is none yet."""
    path = Path(folder) / name
    if not path.exists():
        return None
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:
        raise RecipeError(f"{path}: a checkpoint expected, but it cannot be read: {error}") from error
