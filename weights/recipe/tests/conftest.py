"""What several tests share: goldens, toy people, tiny options."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import toy  # noqa: E402

from posed_recipe.autoencoder import AutoencoderKL  # noqa: E402
from posed_recipe.autoencoder.trainer import AutoencoderOptions, normalize  # noqa: E402
from posed_recipe.data.bank import PictureBank  # noqa: E402
from posed_recipe.data.pictures import read_pictures  # noqa: E402
from posed_recipe.encoder import Preprocessor  # noqa: E402
from posed_recipe.flow.trainer import EncoderOptions, FlowOptions  # noqa: E402
from posed_recipe.latents import LatentStore, PrecomputeOptions, precompute  # noqa: E402
from posed_recipe.latents.precompute import Encoders  # noqa: E402
from posed_recipe.training import Processes, TrainingOptions  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
GOLDENS = ROOT / "Tests" / "Goldens"
CPU = Processes(torch.device("cpu"))

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def goldens():
    """The engine's goldens."""
    if not (GOLDENS / "rpfm.py").exists():
        pytest.skip(f"{GOLDENS} is not there: the recipe was taken out of its repository")
    return GOLDENS


@pytest.fixture(scope="session")
def rpfm(goldens):
    """The model that the engine's goldens were made by."""
    spec = importlib.util.spec_from_file_location("golden_rpfm", goldens / "rpfm.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """Eight toy people in four poses each, in two shards."""
    folder = tmp_path_factory.mktemp("people")
    toy.make_shards(folder, 8, shard=4)
    return folder


@pytest.fixture(scope="session")
def heldout(tmp_path_factory):
    """Three held-out pairs."""
    folder = tmp_path_factory.mktemp("heldout")
    toy.make_pairs(folder, 3)
    return folder


@pytest.fixture(scope="session")
def tiny_vae(people):
    """A small random autoencoder with normalized latents."""
    torch.manual_seed(0)
    vae = AutoencoderKL(tiny_autoencoder().config(64)).eval()
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    return normalize(vae, bank.pictures)


@pytest.fixture(scope="session")
def latents(people, tiny_vae, tmp_path_factory):
    """Latents of the toy people at 64 x 64."""
    folder = tmp_path_factory.mktemp("latents")
    options = PrecomputeOptions(colours=2, jitters=1, chunk=8, threads=1, precision="f32")
    encoders = Encoders(Preprocessor.square(28))
    assert precompute(read_pictures(people, (64, 64)), folder, tiny_vae, encoders, options, CPU)
    return LatentStore(folder)


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
