"""What the default model is made of, for a large GPU, for some hours of two CPU cores, and for some minutes."""

from dataclasses import dataclass, field

from posed_recipe.autoencoder.trainer import AutoencoderOptions
from posed_recipe.detail import SourceBlend
from posed_recipe.flow.rectify import RectifyOptions
from posed_recipe.flow.refine import RefineOptions
from posed_recipe.flow.trainer import EncoderOptions, FlowOptions
from posed_recipe.latents.precompute import PrecomputeOptions
from posed_recipe.pose import PoseDrawer
from posed_recipe.training.loop import TrainingOptions


@dataclass
class Shares:
    """Parts of the budget. What is left is the flow's, the largest part."""

    autoencoder: float = 0.24
    """People are made at the same time, and until this is over."""
    pairs: float = 0.06
    rectify: float = 0.14
    refine: float = 0.0
    finish: float = 0.06
    """Export and evaluation."""
    least_flow: float = 0.3
    """The flow gets so much even where making people and latents took longer than planned."""


@dataclass
class DefaultPlan:
    """Everything that one command does."""

    size: tuple = (256, 256)
    """Height and width of the pictures."""
    identities: int = 50000
    people_workers: int | None = None
    """Default: all cores but two."""
    least_pictures: int = 2000
    """The autoencoder waits for so many."""
    signing: float = 0.5
    """Share of the identities that sign before a fixed camera; the others are seen from anywhere, in any posture."""
    heldout: int = 200
    seed: int = 7
    shares: Shares = field(default_factory=Shares)
    autoencoder: AutoencoderOptions = field(default_factory=AutoencoderOptions)
    precompute: PrecomputeOptions = field(default_factory=PrecomputeOptions)
    flow: FlowOptions = field(default_factory=FlowOptions)
    rectify: RectifyOptions = field(default_factory=RectifyOptions)
    refine: RefineOptions = field(default_factory=RefineOptions)
    drawer: PoseDrawer = field(default_factory=lambda: PoseDrawer(hands=True))
    """How poses are drawn, to the autoencoder and to the flow."""
    detail: SourceBlend = field(default_factory=SourceBlend)
    """How the source's pixels come into pictures."""
    dtype: str = "bf16"
    nfe: int = 4
    """Evaluations that the model folder asks for by default."""


def h200():
    """One H100 or H200 and 16 cores for a quarter of an hour: the default model's sizes, and Muon."""
    few = dict(optimizer="muon", weight_decay=0.01, watch_minutes=2.5)
    return DefaultPlan(
        identities=15000,
        least_pictures=3000,
        shares=Shares(autoencoder=0.26, pairs=0.0, rectify=0.0, refine=0.12, finish=0.05),
        autoencoder=AutoencoderOptions(
            widths=(16, 32, 64, 96), batch=64, pictures=20000, squares=4.0,  # many steps rather than large ones
            training=TrainingOptions(learning_rate=2e-3, decay=0.6, warmup_steps=100, graphs=True, **few)),
        precompute=PrecomputeOptions(turns=1, colours=1, jitters=1, chunk=256, threads=14),
        flow=FlowOptions(
            groups=128, targets=3,
            training=TrainingOptions(learning_rate=2e-3, decay=0.4, warmup_steps=200, compile=True, graphs=True, **few)),
        rectify=RectifyOptions(pairs=0),
        refine=RefineOptions(groups=128, training=TrainingOptions(
            learning_rate=2e-4, decay=0.9, warmup_steps=20, compile=True, graphs=True, **few)))


def cores():
    """Two cores and some hours: tokens of 32 pixels, so that a step costs a fourth, and Muon, so that fewer do."""
    few = dict(optimizer="muon", log_every=10, save_minutes=4.0, watch_minutes=10.0)
    return DefaultPlan(
        identities=2400,
        people_workers=2,
        least_pictures=9600,  # people are made first: two cores cannot do both
        shares=Shares(autoencoder=0.3, pairs=0.0, rectify=0.0, finish=0.06),
        autoencoder=AutoencoderOptions(
            widths=(16, 32, 64, 96), batch=8, whole=0.2,
            training=TrainingOptions(learning_rate=2e-3, weight_decay=1e-3, decay=0.6, warmup_steps=20, **few)),
        precompute=PrecomputeOptions(turns=1, colours=1, jitters=1, chunk=32, threads=2),
        flow=FlowOptions(
            patch_size=4, hidden_size=256, depth=8, num_heads=4, groups=32, targets=3, two_sources=0.0,
            training=TrainingOptions(learning_rate=2e-3, weight_decay=0.01, decay=0.5, warmup_steps=50, **few)),
        rectify=RectifyOptions(pairs=0))


def cpu():
    """Two cores and minutes: a small model that runs, and shows that the recipe does."""
    small = dict(log_every=10, save_minutes=2.0, watch_minutes=5.0)
    return DefaultPlan(
        identities=150,
        least_pictures=64,
        heldout=16,
        autoencoder=AutoencoderOptions(
            widths=(16, 32, 64, 64), batch=12, crop=96, whole=0.1, pictures=600,
            training=TrainingOptions(learning_rate=2e-3, weight_decay=1e-3, decay=0.5, warmup_steps=50, **small)),
        precompute=PrecomputeOptions(turns=1, colours=1, jitters=1, chunk=32, threads=2),
        flow=FlowOptions(
            hidden_size=192, depth=6, num_heads=3, encoder=EncoderOptions(width=64, layers=2, heads=1),
            groups=6, targets=3, two_sources=0.0,
            training=TrainingOptions(learning_rate=1e-3, decay=0.4, warmup_steps=100, **small)),
        rectify=RectifyOptions(
            pairs=144, chunk=8, nfe=8,
            training=TrainingOptions(learning_rate=2e-4, decay=0.7, warmup_steps=20, **small)))


PROFILES = {"h200": h200, "cores": cores, "cpu": cpu}
