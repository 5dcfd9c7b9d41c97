"""What several tests share: goldens, toy people."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

import toy  # noqa: E402
from small import CPU, ROOT, tiny_autoencoder  # noqa: E402

from posed_recipe.autoencoder import AutoencoderKL  # noqa: E402
from posed_recipe.autoencoder.trainer import normalize  # noqa: E402
from posed_recipe.data.bank import PictureBank  # noqa: E402
from posed_recipe.data.pictures import read_pictures  # noqa: E402
from posed_recipe.encoder import Preprocessor  # noqa: E402
from posed_recipe.latents import LatentStore, PrecomputeOptions, precompute  # noqa: E402
from posed_recipe.latents.precompute import Encoders  # noqa: E402

GOLDENS = ROOT / "Tests" / "Goldens"

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
