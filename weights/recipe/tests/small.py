"""Sizes that tests can afford, and where things are."""

from pathlib import Path

import torch

from posed_recipe.autoencoder.trainer import AutoencoderOptions
from posed_recipe.flow.trainer import EncoderOptions, FlowOptions
from posed_recipe.training import Processes, TrainingOptions

ROOT = Path(__file__).resolve().parents[3]
CPU = Processes(torch.device("cpu"))


def tiny_autoencoder(**training):
    """Options of an autoencoder of some thousand numbers."""
    return AutoencoderOptions(
        widths=(8, 8, 8, 8), groups=4, batch=4, crop=32, whole=0.25, poses=0.25,
        training=TrainingOptions(
            learning_rate=1e-3, warmup_steps=2, precision="f32", log_every=1, **training))


def tiny_flow(**changes):
    """Options of a flow of some thousand numbers."""
    options = dict(
        hidden_size=32, depth=2, num_heads=2, mlp_ratio=2.0, groups=4, targets=2, two_sources=0.25,
        encoder=EncoderOptions(side=28, width=16, layers=1, heads=1),
        training=TrainingOptions(learning_rate=1e-3, warmup_steps=2, precision="f32", log_every=1))
    options.update(changes)
    return FlowOptions(**options)
