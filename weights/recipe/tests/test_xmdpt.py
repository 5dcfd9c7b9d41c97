"""X-MDPT: the restated transformer, its schedule, and the way of a checkpoint into a model folder."""

import json
import math
import pickle

import pytest
import torch
from safetensors.torch import load_file

from posed_recipe.errors import RecipeError
from posed_recipe.xmdpt import Schedule, XMDPTConfig, XMDPTTransformer2DModel, convert, ddim, solve
from posed_recipe.xmdpt import checkpoint, parts

SMALL = XMDPTConfig(
    hidden_size=32, depth=3, num_heads=2, sample_size=8, source_encoder_dim=24, source_encoder_tokens=17,
    pose_encoder_dim=16, pose_encoder_tokens=17)


def draw(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def small_model():
    model = XMDPTTransformer2DModel(SMALL)
    with torch.no_grad():
        for seed, parameter in enumerate(model.parameters()):
            parameter.copy_(0.3 * draw(parameter.shape, seed))
    return model.eval()


def small_checkpoint():
    """A checkpoint with everything that a published one has."""
    tensors = {name: 0.3 * draw(shape, index) for index, (name, shape) in enumerate(checkpoint.expected(SMALL).items())}
    for name in tensors:
        if name.endswith("relative_position_index"):
            tensors[name] = checkpoint.relative_index(SMALL.side)
    return tensors


def save_parts(folder):
    """Small parts around it."""
    diffusers = pytest.importorskip("diffusers")
    transformers = pytest.importorskip("transformers")
    diffusers.AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8, 8), decoder_block_out_channels=(8, 8, 8, 8),
        num_encoder_blocks=(1, 1, 1, 1), num_decoder_blocks=(1, 1, 1, 1)).save_pretrained(folder / "vae")
    for name, width in (("source", 24), ("pose", 16)):
        config = transformers.Dinov2Config(
            hidden_size=width, num_hidden_layers=1, num_attention_heads=2, mlp_ratio=2, image_size=126,
            patch_size=14, use_swiglu_ffn=name == "source")
        transformers.Dinov2Model(config).save_pretrained(folder / name)


def test_published_sizes_have_the_published_parameters():
    for size, used in (((384, 12, 6), 33_785_797), ((768, 12, 12), 132_451_429), ((1024, 24, 16), 461_135_141)):
        width, depth, heads = size
        with torch.device("meta"):
            model = XMDPTTransformer2DModel(XMDPTConfig(hidden_size=width, depth=depth, num_heads=heads))
        # The checkpoint's head answers with a variance, too; its mask token is counted.
        assert sum(p.numel() for p in model.parameters()) + 16 * width + 16 + width == used
        assert len(checkpoint.expected(model.config)) == {12: 207, 24: 351}[depth]


def test_schedule_is_the_references():
    schedule = Schedule()
    assert schedule.start == pytest.approx(0.006312841145, abs=1e-12)
    assert schedule.alphas[500] == pytest.approx(0.07779666, abs=1e-8)
    assert schedule.kept(50)[:4] == [0, 20, 41, 61] and schedule.kept(50)[-2:] == [979, 999]
    grid = schedule.grid(50)
    assert len(grid) == 51 and grid[1] == pytest.approx(0.007700571599, abs=1e-12)
    steps = [schedule.step(tau) for tau in schedule.uniform(8)]
    expected = [999, 612.1, 469.8, 356.0, 255.7, 168.6, 96.6, 39.4, 0]
    assert all(abs(a - b) < 0.3 for a, b in zip(steps, expected))


def test_euler_on_the_kept_steps_is_ddim():
    model, noise, cond = small_model().double(), draw((2, 4, 8, 8), 90).double(), draw((2, 32), 91).double()
    schedule = Schedule()
    with torch.no_grad():
        reference = ddim(model, noise, cond, 10, 2.0, schedule)
        flow = solve(model, noise, cond, schedule.grid(10), "euler", 2.0, schedule)
    assert (flow - reference).abs().max() < 1e-9 * reference.abs().max()


def test_rows_do_not_see_each_other():
    model, x, cond = small_model(), draw((3, 4, 8, 8), 92), draw((3, 32), 93)
    steps = torch.tensor([999.0, 500.5, 0.0])
    with torch.no_grad():
        whole = model(x, steps, cond)
        alone = torch.cat([model(x[i:i + 1], steps[i:i + 1], cond[i:i + 1]) for i in range(3)])
    assert (whole - alone).abs().max() < 1e-5 * whole.abs().max()


def test_converts_a_checkpoint(tmp_path):
    save_parts(tmp_path)
    tensors = small_checkpoint()
    torch.save(tensors, tmp_path / "ema.pt")
    out = tmp_path / "model"
    convert(tmp_path / "ema.pt", tmp_path / "vae", tmp_path / "source", tmp_path / "pose", out)
    model = XMDPTTransformer2DModel.from_pretrained(out / "transformer")
    head = tensors["final_layer.linear.weight"]
    assert torch.equal(model.final_layer.linear.weight[:5], head[[0, 8, 16, 24, 1]])
    index = json.loads((out / "model_index.json").read_text())
    assert index["picture_aspect"] == 0.6875 and index["source_fit"] == "crop"
    assert json.loads((out / "pose_drawer/config.json").read_text())["body"] == "xmdpt"
    assert json.loads((out / "sampler/config.json").read_text()) == {
        "solver": "midpoint", "steps": 8, "guidance_scale": 2.0, "last_step_first_order": False}
    for name, width in (("source", 24), ("pose", 16)):
        config = json.loads((out / f"{name}_encoder/config.json").read_text())
        positions = load_file(out / f"{name}_encoder/model.safetensors")["embeddings.position_embeddings"]
        assert config["image_size"] == 56 and positions.shape == (1, 17, width)
        assert json.loads((out / f"{name}_encoder/preprocessor_config.json").read_text())["antialias"] is False
    assert "non-commercial" in (out / "README.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ema.pt", "model", "pose", "source", "vae"]


def test_positions_are_sampled_with_the_references_offset():
    positions = draw((1, 1 + 37 * 37, 2), 94)
    baked = parts.bake(positions, 16)
    grid = positions[0, 1:, 0].reshape(37, 37)
    # Bicubic with a = -0.75 at (i + 0.5) * 37 / 16.1 - 0.5, edges repeated.
    def weights(at):
        f, a = at - math.floor(at), -0.75
        near = lambda x: ((a + 2) * x - (a + 3)) * x * x + 1
        far = lambda x: ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
        return [far(1 + f), near(f), near(1 - f), far(2 - f)]

    for row, column in ((0, 0), (7, 3), (15, 15)):
        total = 0.0
        at = [(i + 0.5) * 37 / 16.1 - 0.5 for i in (row, column)]
        for dy, wy in enumerate(weights(at[0])):
            for dx, wx in enumerate(weights(at[1])):
                y, x = (min(max(math.floor(v) - 1 + d, 0), 36) for v, d in zip(at, (dy, dx)))
                total += wy * wx * float(grid[y, x])
        assert baked[0, 1 + 16 * row + column, 0] == pytest.approx(total, abs=1e-4)


class Hostile:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize("spoil, sentence", [
    (lambda t: t.pop("pos_embed"), "has no tensor pos_embed"),
    (lambda t: t.pop("mask_token"), "mask_token is missing"),
    (lambda t: t.update({"module.extra": torch.zeros(1)}), "module.extra is not expected"),
    (lambda t: t.update({"t_embedder.mlp.0.bias": torch.zeros(7)}), "t_embedder.mlp.0.bias has shape [7]"),
    (lambda t: t["pos_embed"].view(-1)[3:4].fill_(math.nan), "not finite"),
    (lambda t: t["blocks.0.attn.rel_pos_bias.relative_position_index"].add_(1), "orders places in another way"),
])
def test_refuses_other_checkpoints(tmp_path, spoil, sentence):
    tensors = small_checkpoint()
    spoil(tensors)
    torch.save(tensors, tmp_path / "ema.pt")
    with pytest.raises(RecipeError) as error:
        convert(tmp_path / "ema.pt", "vae", "source", "pose", tmp_path / "model")
    assert sentence in str(error.value) and "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["ema.pt"]


def test_refuses_pickles_that_name_other_things(tmp_path, capsys):
    hostile = tmp_path / "hostile.pt"
    torch.save({"pos_embed": Hostile()}, hostile)
    plain = tmp_path / "plain.pt"
    plain.write_bytes(pickle.dumps(Hostile()))
    text = tmp_path / "text.pt"
    text.write_text("not a checkpoint")
    cut = tmp_path / "cut.pt"
    torch.save(small_checkpoint(), cut)
    cut.write_bytes(cut.read_bytes()[:1000])
    for path in (hostile, plain, text, cut, tmp_path / "absent.pt", tmp_path):
        with pytest.raises(RecipeError) as error:
            checkpoint.load(path)
        assert "\n" not in str(error.value) and str(path) in str(error.value)
    assert "run" not in capsys.readouterr().out


def test_leaves_nothing_where_a_part_does_not_fit(tmp_path):
    save_parts(tmp_path)
    torch.save(small_checkpoint(), tmp_path / "ema.pt")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(RecipeError, match="24 features"):
        convert(tmp_path / "ema.pt", tmp_path / "vae", tmp_path / "pose", tmp_path / "pose", tmp_path / "model")
    assert sorted(path.name for path in tmp_path.iterdir()) == before
