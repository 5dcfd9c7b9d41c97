"""The recipe as a whole, on toy people: commands, published parts, and the default model in one go."""

import json

import pytest
from small import CPU, tiny_autoencoder, tiny_flow

from posed_recipe.autoencoder import AutoencoderKL
from posed_recipe.cli import main
from posed_recipe.default_model import PROFILES, DefaultPlan, train_default
from posed_recipe.encoder import Dinov2Config, Dinov2Model, Preprocessor
from posed_recipe.flow.model import FlowModel
from posed_recipe.flow.trainer import new_flow
from posed_recipe.latents import PrecomputeOptions
from posed_recipe.latents.store import StoreShape
from posed_recipe.model_folder import ModelFolder
from posed_recipe.training import Deadline

EXACT = ["--device", "cpu", "--set", "training.precision=f32"]


def run(*arguments):
    assert main([str(argument) for argument in arguments]) == 0


def test_the_commands_make_a_model_step_by_step(people, heldout, tmp_path, capsys):
    sizes = [f"--set={option}" for option in (
        "hidden_size=32", "depth=1", "num_heads=1", "groups=2", "targets=2", "encoder.side=28",
        "encoder.width=16", "encoder.layers=1", "encoder.heads=1")]
    vae, latents, flow, straight, model = (tmp_path / name for name in ("vae", "latents", "flow", "straight", "model"))
    run("train-autoencoder", "--data", people, "--out", vae, "--steps", 1, *EXACT, "--set", "widths=(8,8,8,8)",
        "--set", "groups=4", "--set", "batch=2", "--set", "crop=32", "--set", "pictures=4", "--set", "whole=0.0")
    run("precompute", "--data", people, "--vae", vae, "--out", latents, "--size", 64, 64, "--encoder-side", 28,
        "--device", "cpu", "--set", "precision=f32", "--set", "limit=8")
    run("train-flow", "--latents", latents, "--out", flow, "--steps", 2, *EXACT, *sizes,
        "--heldout", heldout, "--vae", vae)
    assert (flow / "sheets" / "step-0000002.png").exists()
    run("rectify", "--flow", flow, "--latents", latents, "--out", straight, "--steps", 1, *EXACT,
        "--set", "pairs=4", "--set", "chunk=1", "--set", "nfe=2")
    run("export", "--vae", vae, "--flow", straight, "--out", tmp_path / "before", "--device", "cpu")
    refine = ["refine", "--start", tmp_path / "before", "--latents", latents, "--data", people,
              "--out", tmp_path / "refined", "--steps", 1, *EXACT, "--set", "groups=2", "--set", "targets=2"]
    decoder = ["train-decoder", "--start", tmp_path / "before", "--latents", latents, "--data", people,
               "--out", tmp_path / "decoder", "--steps", 1, *EXACT, "--set", "groups=2", "--set", "targets=1"]
    for arguments in (refine, decoder):
        capsys.readouterr()
        assert main([str(argument) for argument in arguments]) == 1  # latents are of float32, the model is of bfloat16
        assert "name theirs with --vae" in capsys.readouterr().err
        run(*arguments, "--vae", vae)
    run("export", "--vae", tmp_path / "decoder", "--flow", tmp_path / "refined", "--out", model, "--device", "cpu")
    capsys.readouterr()
    run("evaluate", "--model", model, "--data", heldout, "--nfe", 2, "--limit", 2, "--device", "cpu",
        "--sheet", tmp_path / "sheet.png")
    report = json.loads(capsys.readouterr().out)
    assert report["pairs"] == 2 and report["settings"]["solver"] == "euler" and report["settings"]["steps"] == 2
    assert set(report["metrics"]["psnr"]) == {"output", "copy", "reconstruction"}


def test_published_encoders_are_used_as_they_are(people, tiny_vae, tmp_path):
    for name, width in (("source", 16), ("pose", 24)):
        config = Dinov2Config(hidden_size=width, num_hidden_layers=1, num_attention_heads=1, image_size=28)
        Dinov2Model(config).save_pretrained(tmp_path / name)
        Preprocessor(shortest_edge=32, crop=(28, 28)).save_pretrained(tmp_path / name)
    tiny_vae.save_pretrained(tmp_path / "vae")
    encoders = ["--encoder", tmp_path / "source", "--pose-encoder", tmp_path / "pose"]
    run("precompute", "--data", people, "--vae", tmp_path / "vae", "--out", tmp_path / "latents",
        "--size", 64, 64, "--device", "cpu", "--set", "limit=8", *encoders)
    run("train-flow", "--latents", tmp_path / "latents", "--out", tmp_path / "flow", "--steps", 1, *EXACT,
        "--set", "hidden_size=32", "--set", "depth=1", "--set", "num_heads=1", "--set", "groups=2")
    run("export", "--vae", tmp_path / "vae", "--flow", tmp_path / "flow", "--out", tmp_path / "model", *encoders)
    model = ModelFolder.load(tmp_path / "model")
    assert model.transformer.config.source_encoder_dim == 16 and model.pose_encoder.config.hidden_size == 24
    assert model.source_preprocessor.crop == (28, 28)


def tiny_plan():
    plan = DefaultPlan(size=(64, 64), autoencoder=tiny_autoencoder(), flow=tiny_flow(), precompute=PrecomputeOptions(
        colours=1, jitters=1, chunk=16, threads=1, precision="f32"))
    plan.rectify.pairs, plan.rectify.chunk, plan.rectify.nfe = 8, 2, 2
    plan.rectify.training.precision = "f32"
    return plan


def test_the_default_model_is_made_over_several_calls(people, heldout, tmp_path):
    def call(minutes):
        plan = tiny_plan()
        plan.shares.refine, plan.refine.groups = 0.1, 4
        plan.refine.training.precision = "f32"
        return train_default(tmp_path, plan, 0.1, CPU, Deadline(minutes), people, heldout)

    assert call(0.0) is False
    state = json.loads((tmp_path / "state.json").read_text())
    assert state["granted"]["autoencoder"] == pytest.approx(1.4, abs=0.1) and state["done"] == {}
    assert call(None) is True
    done = json.loads((tmp_path / "state.json").read_text())["done"]
    assert list(done) == ["people and autoencoder", "latents", "flow", "pairs", "rectify", "refine", "export"]
    assert all(done[name]["steps"] > 0 for name in ("flow", "rectify", "refine"))
    for name in ("model", "model-before"):
        assert ModelFolder.load(tmp_path / name).size == (64, 64)
        assert set(done["export"][name]["nfe4"]["closed"]) == {"ssim", "psnr", "ssim_mask", "psnr_mask"}
    assert call(None) is True  # nothing is left to do


def test_the_default_model_begins_with_an_autoencoder_that_is_there(people, heldout, tmp_path):
    config = tiny_autoencoder().config(64)
    config.block_out_channels = (8, 8, 8, 16)  # not the plan's
    AutoencoderKL(config).save_pretrained(tmp_path / "start" / "vae")
    plan = tiny_plan()
    plan.rectify.pairs = 0
    work = tmp_path / "work"
    assert train_default(work, plan, 0.02, CPU, Deadline(), people, heldout, tmp_path / "start") is True
    assert AutoencoderKL.from_pretrained(work / "model" / "vae").config.block_out_channels == [8, 8, 8, 16]


@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_are_within_their_size(profile):
    plan = PROFILES[profile]()
    shape = StoreShape(0, 1, 1, 1, (4, 32, 32), plan.flow.encoder.side, None, None, "")
    flow: FlowModel = new_flow(plan.flow, shape)
    vae = AutoencoderKL(plan.autoencoder.config(256))
    numbers = sum(p.numel() for module in (flow, vae) for p in module.parameters())
    assert 2 * numbers <= 43e6
    assert plan.flow.hidden_size // plan.flow.num_heads == 64
