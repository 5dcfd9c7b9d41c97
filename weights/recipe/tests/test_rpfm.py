"""The model is the one of the engine's goldens, bit for bit."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from posed_recipe.errors import RecipeError
from posed_recipe.rpfm import RPFMTransformer2DModel, TransformerConfig, integrate, noise, solve, steps_of_budget, time_grid
from posed_recipe.rpfm.layers import patches, unpatches
from posed_recipe.rpfm.transformer import initialise, widened

MODELS = ["tiny", "tiny-wide", "tiny-no-concatenation", "tiny-no-aggregation"]


@pytest.fixture(scope="module", params=MODELS)
def pair(request, goldens, rpfm):
    """This package's model and the goldens' reference, with one set of weights."""
    folder = goldens / request.param / "transformer"
    own = RPFMTransformer2DModel.from_pretrained(folder)
    reference = rpfm.RPFMTransformer2DModel(**json.loads((folder / "config.json").read_text()))
    reference.load_state_dict(own.state_dict())
    return own, reference.float().eval()


def inputs(config, several):
    """Random inputs of that model."""
    random = torch.Generator().manual_seed(1)
    shape = (config.in_channels, *config.latent_size)

    def normal(*size):
        return torch.randn(*size, generator=random)

    lead = (2, 2) if several else (2,)
    return dict(
        z=normal(2, *shape), t=torch.tensor([0.2, 0.9]), z_s=normal(*lead, *shape), z_p=normal(2, *shape),
        g_s=normal(*lead, 5, config.source_encoder_dim), g_p=normal(2, 5, config.pose_encoder_dim))


@pytest.mark.parametrize("several", [False, True])
@torch.no_grad()
def test_equals_the_reference_bit_for_bit(pair, several):
    own, reference = pair
    given = inputs(own.config, several)
    z, t, z_s, z_p = (given[name] for name in ("z", "t", "z_s", "z_p"))
    streams = (z_s, z_p, given["g_s"], given["g_p"])
    cond = own.aggregate(*streams)
    assert torch.equal(cond, reference.aggregate(*streams))
    cached, expected = own.reference(z_s), reference.reference(z_s)
    assert (cached is None) == (expected is None)
    for mine, theirs in zip(cached or [], expected or [], strict=True):
        assert torch.equal(mine[0], theirs[0]) and torch.equal(mine[1], theirs[1])
    assert torch.equal(own.velocity_empty(z, t), reference.velocity_empty(z, t))
    assert torch.equal(own.guided(z, t, z_s, z_p, cond, cached, 1.3),
                       reference.guided(z, t, z_s, z_p, cond, expected, 1.3))


@pytest.mark.parametrize("model", ["tiny", "tiny-no-concatenation", "tiny-no-aggregation"])
@torch.no_grad()
def test_solves_to_the_goldens(goldens, model):
    own = RPFMTransformer2DModel.from_pretrained(goldens / model / "transformer")
    for case in sorted((goldens / model / "expected").glob("solve.*.safetensors")):
        given = load_file(case)
        settings = json.loads(case.with_suffix(".json").read_text())
        latent = solve(own, given["z0"], given["z_s"], given["z_p"], given["cond"], **settings)
        torch.testing.assert_close(latent, given["latent"], rtol=1e-4, atol=1e-4)


def test_noise_is_the_specified_one(rpfm):
    for seed in (0, 7, 2**63 + 12345):
        assert np.array_equal(noise(seed, (4, 6, 5)), rpfm.noise(seed, (4, 6, 5)))


def test_patches_and_back():
    z = torch.randn(2, 4, 6, 8)
    x = patches(z, 2)
    assert x.shape == (2, 12, 16)
    assert torch.equal(x[0, 1].reshape(4, 2, 2), z[0, :, :2, 2:4])
    assert torch.equal(unpatches(x, 2, 6, 8), z)


def test_time_shift_bends_the_grid():
    assert np.allclose(time_grid(4), [0, 0.25, 0.5, 0.75, 1])
    assert np.allclose(time_grid(2, 3.0), [0, 0.75, 1])


@pytest.mark.parametrize(("solver", "order"), [("euler", 1), ("heun", 2), ("midpoint", 2), ("rk4", 4)])
def test_solvers_have_their_order(solver, order):
    def error(steps):
        end = integrate(
            lambda z, t: z * np.cos(t), 1.0, solver, steps, last_step_first_order=False)
        return abs(end - np.exp(np.sin(1.0)))

    assert np.log2(error(8) / error(16)) == pytest.approx(order, abs=0.25)


def test_a_budget_is_never_exceeded():
    for solver in ("euler", "heun", "midpoint", "rk4"):
        for whole in (False, True):
            for nfe in range(1, 20):
                made = []
                try:
                    steps = steps_of_budget(solver, nfe, not whole)
                except RecipeError:
                    assert nfe < 4 and solver != "euler"
                    continue
                integrate(lambda z, t: made.append(t) or z, 1.0, solver, steps, 1.0, not whole)  # noqa: B023
                assert len(made) <= nfe < len(made) + 4
                assert whole or max(made) < 1
    assert steps_of_budget("heun", 1) == 1


@torch.no_grad()
def test_another_size_has_the_trained_range_of_positions(goldens, rpfm):
    own = RPFMTransformer2DModel.from_pretrained(goldens / "tiny" / "transformer")
    given = load_file(goldens / "tiny" / "expected" / "velocity.other-size.safetensors")
    z, t, z_s, z_p, cond = (given[name] for name in ("z", "t", "z_s", "z_p", "cond"))
    velocity = own(z, t, z_s, z_p, cond, own.reference(z_s))
    torch.testing.assert_close(velocity, given["velocity"], rtol=1e-4, atol=1e-4)
    # Twice as many tokens a side: every other one lies where the trained one does.
    h, w = own.config.latent_size
    twice = own.positions(torch.zeros(1, 4, 2 * h, 2 * w)).reshape(h, w, -1)
    assert torch.equal(twice[::2, ::2].reshape(own.pos.shape), own.pos)


def test_a_new_model_is_still():
    model = initialise(RPFMTransformer2DModel(TransformerConfig(
        sample_size=4, hidden_size=32, depth=2, num_heads=2, source_encoder_dim=8, pose_encoder_dim=8)))
    z = torch.randn(1, 4, 4, 4)
    assert torch.equal(model.velocity_empty(z, torch.tensor([0.5])), torch.zeros_like(z))


def test_more_channels_do_the_same_at_first(pair):
    own, _ = pair
    channels = own.config.in_channels + 3
    wide, given = widened(own, channels).eval(), inputs(own.config, True)
    more = inputs(wide.config, True)
    for name in ("z", "z_s", "z_p"):
        more[name][..., :own.config.in_channels, :, :] = given[name]
    answers = []
    with torch.no_grad():
        for model, values in ((own.eval(), given), (wide, more | {name: given[name] for name in ("t", "g_s", "g_p")})):
            cond = model.aggregate(values["z_s"], values["z_p"], values["g_s"], values["g_p"])
            cached = model.reference(values["z_s"])
            answers.append(model(values["z"], values["t"], values["z_s"][:, 0], values["z_p"], cond, cached))
    torch.testing.assert_close(answers[1][:, :own.config.in_channels], answers[0])
    assert answers[1].shape[1] == channels and answers[1][:, own.config.in_channels:].abs().max() == 0


def test_wrong_configurations_are_named():
    with pytest.raises(RecipeError, match="hidden_size 130"):
        TransformerConfig(hidden_size=130)
    with pytest.raises(RecipeError, match="unknown keys.*: widht"):
        TransformerConfig.from_dict({"widht": 3})


def test_misfitting_weights_are_named(tmp_path):
    small = dict(sample_size=4, depth=1, num_heads=1, source_encoder_dim=8, pose_encoder_dim=8)
    RPFMTransformer2DModel(TransformerConfig(hidden_size=16, **small)).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "hidden_size": 32}))
    with pytest.raises(RecipeError, match=r"x_embedder.weight has shape \[16, 48\], but \[32, 48\]"):
        RPFMTransformer2DModel.from_pretrained(tmp_path)
