"""Autoencoder, encoder and preprocessing are those of diffusers, transformers and Pillow."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from posed_recipe.autoencoder import AutoencoderKL
from posed_recipe.autoencoder.losses import reconstruction_loss
from posed_recipe.autoencoder.trainer import normalize
from posed_recipe.encoder import Dinov2Config, Dinov2Model, Preprocessor


@pytest.mark.parametrize("model", ["tiny", "tiny-wide", "tiny-no-aggregation"])
@torch.no_grad()
def test_the_autoencoder_gives_the_goldens(goldens, model):
    vae = AutoencoderKL.from_pretrained(goldens / model / "vae")
    for case, run in (("vae.encode", vae.encode), ("vae.decode", vae.decode)):
        given = load_file(goldens / model / "expected" / f"{case}.safetensors")
        into, out = ("image", "latent") if case == "vae.encode" else ("latent", "image")
        torch.testing.assert_close(run(given[into]), given[out], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_diffusers_reads_what_is_saved(tiny_vae, tmp_path):
    diffusers = pytest.importorskip("diffusers")
    tiny_vae.save_pretrained(tmp_path)
    theirs = diffusers.AutoencoderKL.from_pretrained(tmp_path)
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    expected = theirs.encode(image).latent_dist.mean * theirs.config.scaling_factor
    torch.testing.assert_close(tiny_vae.encode(image), expected, rtol=1e-4, atol=1e-4)
    latent = torch.randn(1, 4, 4, 4)
    torch.testing.assert_close(
        tiny_vae.decode(latent), theirs.decode(latent / theirs.config.scaling_factor).sample, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_normalizing_changes_latents_but_no_picture(tiny_vae):
    torch.manual_seed(3)
    vae = AutoencoderKL(tiny_vae.config).eval()
    pictures = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8)
    image = pictures.float() / 127.5 - 1
    before, deviation = vae.decode(vae.encode(image)), (0.5 * vae.posterior(image)[1]).exp()
    relative = deviation / vae.posterior(image)[0].std(dim=(0, 2, 3), keepdim=True)
    normalize(vae, pictures)
    latent = vae.encode(image)
    torch.testing.assert_close(latent.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(latent.std(dim=(0, 2, 3)), torch.ones(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(vae.decode(latent), before, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close((0.5 * vae.posterior(image)[1]).exp(), relative, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "part"), [("tiny", "source_encoder"), ("tiny", "pose_encoder"), ("tiny-no-aggregation", "source_encoder")])
@torch.no_grad()
def test_the_encoder_gives_the_goldens(goldens, model, part):
    encoder = Dinov2Model.from_pretrained(goldens / model / part)
    cases = sorted((goldens / model / "expected").glob(f"{part}*.safetensors"))
    assert cases
    for case in cases:
        given = load_file(case)
        torch.testing.assert_close(
            encoder(given["pixel_values"]), given["last_hidden_state"], rtol=2e-4, atol=2e-4)


def test_squares_are_added_with_their_weight():
    a, b = torch.rand(2, 3, 32, 32) * 2 - 1, torch.rand(2, 3, 32, 32) * 2 - 1
    more = reconstruction_loss(a, b, squares=4.0) - reconstruction_loss(a, b)
    torch.testing.assert_close(more, 4 * (a - b).square().mean())


@pytest.mark.parametrize("registers", [0, 2])
@torch.no_grad()
def test_transformers_reads_what_is_saved(tmp_path, registers):
    transformers = pytest.importorskip("transformers")
    config = Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=28, num_register_tokens=registers)
    encoder = Dinov2Model(config).eval()
    encoder.save_pretrained(tmp_path)
    Preprocessor.square(28).save_pretrained(tmp_path)
    theirs = transformers.AutoModel.from_pretrained(tmp_path).eval()
    assert type(theirs).__name__ == config.class_name
    pixels = torch.randn(2, 3, 28, 28)
    hidden = theirs(pixels).last_hidden_state
    expected = torch.cat([hidden[:, :1], hidden[:, 1 + registers:]], dim=1)
    torch.testing.assert_close(encoder(pixels), expected, rtol=1e-4, atol=1e-4)


def test_preprocessing_gives_the_goldens(goldens):
    stages = load_file(goldens / "tiny" / "expected" / "synthesize" / "stages.safetensors")
    for part, key in (("source_encoder", "s"), ("pose_encoder", "p")):
        process = Preprocessor.from_pretrained(goldens / "tiny" / part)
        found = process.pixel_values(Image.fromarray(stages[f"picture_{key}"].numpy()))
        torch.testing.assert_close(found, stages[f"pixel_values_{key}"], rtol=1e-5, atol=1e-5)


def test_thumbnails_are_nearly_pillows():
    random = np.random.default_rng(0)
    picture = np.kron(random.integers(0, 256, (16, 16, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    process = Preprocessor.square(56)
    expected = process.shrink(Image.fromarray(picture)).astype(int)
    found = process.thumbnails(torch.from_numpy(picture).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 2 and difference.mean() < 0.1


def test_preprocessing_survives_its_file(tmp_path):
    for process in (Preprocessor.square(112), Preprocessor(shortest_edge=60, crop=(56, 56))):
        process.save_pretrained(tmp_path)
        assert Preprocessor.from_pretrained(tmp_path) == process
        assert json.loads((tmp_path / "preprocessor_config.json").read_text())["resample"] == 3
