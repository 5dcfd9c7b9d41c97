"""What is exported is what posekit loads, and evaluating agrees with it."""

import json
import os
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import CPU, ROOT, tiny_flow
from PIL import Image
from safetensors.torch import load_file

from posed_recipe.autoencoder import AutoencoderKL
from posed_recipe.cli import main
from posed_recipe.detail import SourceBlend
from posed_recipe.errors import RecipeError
from posed_recipe.evaluation import Settings, Synthesizer, evaluate
from posed_recipe.evaluation.metrics import scores, sharpness, similarity_map
from posed_recipe.flow.model import FlowModel
from posed_recipe.flow.trainer import FlowOptions, FlowTask, new_flow
from posed_recipe.model_folder import ModelFolder, SamplerDefaults
from posed_recipe.runs import begun_flow, describe_flow

POSEKIT = os.environ.get("POSEKIT", str(ROOT / ".build" / "release" / "posekit"))


@pytest.fixture(scope="module")
def model(latents, tiny_vae):
    """A random model that paints something."""
    flow: FlowModel = new_flow(tiny_flow(), latents.shape)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=random))
    return ModelFolder(tiny_vae, flow.transformer.eval(), flow.encoder.eval(), flow.preprocessor,
                       sampler=SamplerDefaults("euler", 4, 1.2))


def posekit(*arguments):
    """Runs posekit, or skips where it is not built."""
    if not os.access(POSEKIT, os.X_OK):
        pytest.skip(f"{POSEKIT} is not there: `swift build -c release` builds it")
    done = subprocess.run([POSEKIT, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_folder_survives_saving(model, tmp_path):
    model.save(tmp_path, "f32", shard_bytes=20000)
    assert len(list((tmp_path / "transformer").glob("*.safetensors"))) > 1
    again = ModelFolder.load(tmp_path)
    assert again.sampler == model.sampler and again.size == (64, 64)
    for part in ("vae", "transformer", "source_encoder"):
        for name, tensor in getattr(model, part).state_dict().items():
            assert torch.equal(getattr(again, part).state_dict()[name], tensor)
    model.save(tmp_path, "bf16")
    tensors = load_file(tmp_path / "transformer" / "diffusion_pytorch_model.safetensors")
    assert all(tensor.dtype == torch.bfloat16 for tensor in tensors.values())
    assert not list(tmp_path.rglob("*.index.json"))


def test_a_training_goes_on_from_a_folder(model, latents, tmp_path):
    model.save(tmp_path / "model", "f32")
    options = FlowOptions()
    flow = begun_flow(tmp_path / "model", options, latents.shape)
    assert (options.hidden_size, options.depth, options.encoder.side) == (32, 2, 28)
    for part, begun in ((model.transformer, flow.transformer), (model.source_encoder, flow.encoder)):
        for name, tensor in part.state_dict().items():
            assert torch.equal(begun.state_dict()[name], tensor)
    options.groups, options.targets = 2, 2
    loss, _ = FlowTask(latents, options, CPU, flow).loss(flow, 0, 0.0)
    assert torch.isfinite(loss)
    describe_flow(tmp_path / "flow", options, latents.shape)
    with pytest.raises(RecipeError, match=r"latents of \(4, 16, 8\) expected"):
        begun_flow(tmp_path / "model", options, replace(latents.shape, latent=(4, 16, 8)))
    with pytest.raises(RecipeError, match=r"latents of \(3, 8, 8\) expected"):
        begun_flow(tmp_path / "model", options, replace(latents.shape, latent=(3, 8, 8)))
    wide = begun_flow(tmp_path / "model", options, replace(latents.shape, latent=(6, 8, 8)))
    assert wide.transformer.config.in_channels == 6
    assert torch.equal(wide.transformer.blocks[0].attn.qkv.weight, model.transformer.blocks[0].attn.qkv.weight)
    with pytest.raises(RecipeError, match="pictures of 56 pixels expected"):
        begun_flow(tmp_path / "model", options, replace(latents.shape, thumbnail=56))


def test_the_goldens_picture(goldens):
    """From picture and keypoints to the golden answer of `synthesize`, through every part."""
    case = goldens / "tiny" / "expected" / "synthesize"
    settings = json.loads((case / "settings.json").read_text())
    steps = settings["steps"] * {"euler": 1, "heun": 2, "midpoint": 2, "rk4": 4}[settings["solver"]]
    model = ModelFolder.load(goldens / "tiny")
    with Image.open(case / "source.png") as picture:
        source = np.asarray(picture.convert("RGB").resize(model.size[::-1], Image.Resampling.BICUBIC))
    pose = np.asarray(json.loads((case / "pose.json").read_text()), np.float32)
    painted = Synthesizer(model).synthesize(source[None], pose[None], Settings(
        settings["solver"], steps, settings.get("guidance", settings.get("guidance_scale")),
        settings["time_shift"], settings["seed"]))[0]
    with Image.open(case / "output.png") as picture:
        assert np.abs(painted.astype(int) - np.asarray(picture)).max() <= 1


def test_sharpness_is_a_share_of_pillows_luma():
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (40, 28, 3), np.uint8)
    mask = np.zeros((40, 28), bool)
    mask[5:30, 3:20] = True
    luma = np.asarray(Image.fromarray(picture).convert("L")).astype(float)
    fine = luma - ndimage.gaussian_filter(luma, 1.5, truncate=5 / 1.5)
    across, down = (np.abs(np.diff(luma, axis=axis)) for axis in (1, 0))
    assert sharpness(picture) == pytest.approx((across.mean() + down.mean(), fine.var()))
    inner = across[5:30, 3:19].mean() + down[5:29, 3:20].mean()
    assert sharpness(picture, mask) == pytest.approx((inner, fine[mask].var()))
    soft = (picture.astype(float) / 2).astype(np.uint8)
    found = scores(soft, picture, mask)
    assert found["gradient_ratio"] == pytest.approx(0.5, abs=0.01)
    assert found["detail_ratio_mask"] == pytest.approx(0.25, abs=0.01)
    flat = np.full_like(picture, 9)
    assert not any("ratio" in name for name in scores(picture, flat))


def test_ssim_is_scikit_images():
    metrics = pytest.importorskip("skimage.metrics")
    random = np.random.default_rng(0)
    a = random.integers(0, 256, (40, 30, 3)).astype(np.uint8)
    b = np.clip(a + random.normal(0, 30, a.shape), 0, 255).astype(np.uint8)
    mean, found = metrics.structural_similarity(
        a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
        full=True)
    own = similarity_map(a, b)
    assert np.allclose(own, found.mean(axis=2), atol=1e-6)
    assert own[5:-5, 5:-5].mean() == pytest.approx(mean, abs=1e-9)


def test_evaluating_agrees_with_posekit(model, heldout, tmp_path):
    model.save(tmp_path / "model", "f32")
    report = evaluate(ModelFolder.load(tmp_path / "model"), heldout, Settings("heun", 4, 1.2), batch=2)
    assert report["pairs"] == 3 and set(report["closed"]) == {"ssim", "psnr", "ssim_mask", "psnr_mask"}
    posekit("eval", "--model", tmp_path / "model", "--data", heldout, "--json", tmp_path / "report.json",
            "--solver", "heun", "--nfe", 4, "--guidance", 1.2, "--seed", 0, "--backend", "cpu", "--dtype", "f32")
    theirs = json.loads((tmp_path / "report.json").read_text())["metrics"]
    for metric, row in report["metrics"].items():
        for answer, value in row.items():
            assert theirs[metric][answer] == pytest.approx(value, rel=2e-3, abs=2e-4), (metric, answer)


def test_another_autoencoder_may_reconstruct(model, heldout, tmp_path):
    model.save(tmp_path / "model", "f32")
    torch.manual_seed(5)
    AutoencoderKL(model.vae.config).save_pretrained(tmp_path / "other" / "vae")

    def report(*flags):
        path = tmp_path / "report.json"
        arguments = ("evaluate", "--model", tmp_path / "model", "--data", heldout, "--nfe", 2, "--limit", 1, "--device", "cpu")
        assert main([str(one) for one in (*arguments, "--json", path, *flags)]) == 0
        return json.loads(path.read_text())

    own, other = report(), report("--reconstruction", tmp_path / "other")
    assert other["settings"].pop("reconstruction") == str(tmp_path / "other") and other["settings"] == own["settings"]
    for metric, row in own["metrics"].items():
        assert row.pop("reconstruction") != other["metrics"][metric].pop("reconstruction")
        assert row == other["metrics"][metric]


@pytest.mark.parametrize("detail", [None, SourceBlend(tolerance=0.6, flatness=1.0)])
def test_posekit_paints_the_same_picture(model, heldout, tmp_path, detail):
    replace(model, detail_decoder=detail).save(tmp_path / "model", "bf16")
    line = json.loads((heldout / "pairs.jsonl").read_text().splitlines()[0])
    (tmp_path / "pose.json").write_text(json.dumps([[x / 4, y / 4, c] for x, y, c in line["keypoints"]]))
    posekit("synthesize", "--model", tmp_path / "model", "--source", heldout / line["source"],
            "--pose", tmp_path / "pose.json", "--out", tmp_path / "out.png", "--seed", 7, "--backend", "cpu",
            "--dtype", "f32")
    loaded = ModelFolder.load(tmp_path / "model")
    with Image.open(heldout / line["source"]) as picture:
        source = np.asarray(picture.resize((64, 64), Image.Resampling.BICUBIC))
    keypoints = np.asarray(line["keypoints"], np.float32) * [0.25, 0.25, 1]
    own = Synthesizer(loaded).synthesize(
        source[None], keypoints[None].astype(np.float32), Settings("euler", 4, 1.2, seed=7))[0]
    with Image.open(tmp_path / "out.png") as picture:
        error = np.square(own.astype(float) - np.asarray(picture)).mean()
    assert 10 * np.log10(255**2 / max(error, 1e-9)) >= 40


def test_the_command_line_speaks_in_sentences(tmp_path, capsys):
    assert main(["evaluate", "--model", str(tmp_path), "--data", str(tmp_path)]) == 1
    told = f"posed-recipe: {tmp_path}: a model folder expected, but it has no model_index.json\n"
    assert capsys.readouterr().err == told
