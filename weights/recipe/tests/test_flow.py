"""The path, the times, the batches, and the condition's dropout."""

import numpy as np
import pytest
import torch
from small import CPU, tiny_flow

from posed_recipe.flow.batches import Batches
from posed_recipe.data.bank import PictureBank
from posed_recipe.data.pictures import read_pictures
from posed_recipe.flow.correspondence import CorrespondenceOptions
from posed_recipe.flow.path import SIGMA_MIN, ends_times, point, training_times, velocity
from posed_recipe.flow.refine import Endpoint, PictureBatches, RefineOptions, RefineTask
from posed_recipe.flow.trainer import FlowTask, new_flow


def test_the_path_goes_from_noise_to_data_with_its_velocity():
    z0, y = torch.randn(3, 4, 2, 2), torch.randn(3, 4, 2, 2)
    assert torch.equal(point(z0, y, torch.zeros(3)), z0)
    torch.testing.assert_close(point(z0, y, torch.ones(3)), SIGMA_MIN * z0 + y)
    step = point(z0, y, torch.full((3,), 0.75)) - point(z0, y, torch.full((3,), 0.25))
    torch.testing.assert_close(step / 0.5, velocity(z0, y), rtol=1e-4, atol=1e-5)


def test_times_are_spread_as_they_should_be():
    t = training_times(40000, torch.Generator().manual_seed(0)).numpy()
    assert 0 <= t.min() and t.max() <= 1
    inside = np.random.default_rng(0).normal(-0.3, 1, 400000)
    expected = 0.25 * 0.1 + 0.75 * np.mean(1 / (1 + np.exp(-inside)) < 0.1)
    assert np.mean(t < 0.1) == pytest.approx(expected, abs=0.004)
    ends = ends_times(40000, torch.Generator().manual_seed(0)).numpy()
    density, _ = np.histogram(ends, 10, (0, 1), density=True)
    centres = np.linspace(0.05, 0.95, 10)
    shape = np.cosh(4 * (2 * centres - 1))
    assert np.allclose(density, shape / shape.mean(), rtol=0.1)


def batches(latents, **changes):
    options = tiny_flow(**changes)
    return Batches(latents, options.groups, options.targets, options.empty(1), CPU)


def test_groups_are_of_one_person_and_one_side(latents):
    drawn = batches(latents, groups=64, targets=3).numbers(torch.Generator().manual_seed(0))
    person = drawn.source // 4
    assert (drawn.target // 4 == person[:, None]).all()
    assert (drawn.target != drawn.source[:, None]).all()
    assert all(len(set(row.tolist())) == 3 for row in drawn.target)
    turned = drawn.variant // latents.shape.colours
    assert (drawn.pose_variant // latents.shape.jitters == turned[:, None]).all()
    assert set(drawn.variant.tolist()) == {0, 1, 2, 3}


def test_a_second_source_is_no_target(latents):
    drawn = batches(latents, groups=64, targets=3).numbers(torch.Generator().manual_seed(0), two_sources=True)
    assert drawn.target.shape == (64, 2)
    assert (drawn.second // 4 == drawn.source // 4).all() and (drawn.second != drawn.source).all()
    assert (drawn.second[:, None] != drawn.target).all()


def test_rows_hold_what_their_numbers_say(latents):
    made = batches(latents)
    numbers = made.numbers(torch.Generator().manual_seed(5))
    rows = made.conditional(torch.Generator().manual_seed(5))
    row = 3  # the second target of the second group
    target, variant = numbers.target[1, 1], numbers.variant[1]
    assert torch.equal(rows.y[row], latents.arrays["latents"][target, variant].float())
    assert torch.equal(rows.z_s[1], latents.arrays["latents"][numbers.source[1], variant].float())
    assert torch.equal(rows.z_p[row], latents.arrays["pose_latents"][target, numbers.pose_variant[1, 1]].float())
    assert torch.equal(rows.g_p[row], latents.arrays["pose_thumbnails"][target, numbers.pose_variant[1, 1]])


def test_targets_seen_are_counted_with_their_second_sources(latents):
    options = tiny_flow(groups=4, targets=3, two_sources=0.3)
    made = Batches(latents, 4, 3, 0, CPU)
    drawn = [made.numbers(torch.Generator().manual_seed(step), options.has_two_sources(step)) for step in range(7)]
    assert options.targets_seen(7) == sum(numbers.target.numel() for numbers in drawn) == 7 * 12 - 2 * 4


@pytest.mark.parametrize(("groups", "targets"), [(4, 2), (128, 3), (192, 3)])
def test_a_tenth_of_the_rows_has_no_condition(groups, targets):
    rows = groups * targets
    empty = tiny_flow(groups=groups, targets=targets).empty(1)
    assert empty / (rows + empty) == pytest.approx(0.1, abs=0.02)
    assert tiny_flow(groups=groups, targets=targets, dropout=0.0).empty(1) == 0


def alive(latents):
    """A flow whose output is not nothing."""
    flow = new_flow(tiny_flow(), latents.shape)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=random))
    return flow


@torch.no_grad()
def test_empty_rows_see_no_condition_and_groups_see_theirs(latents):
    flow, made = alive(latents), batches(latents)
    rows, empty = (draw(torch.Generator().manual_seed(1)) for draw in (made.conditional, made.without))
    alone = flow.without(empty)
    model = flow.transformer
    expected = model(point(empty.z0, empty.y, empty.t), empty.t, 0 * empty.y, 0 * empty.y,
                     model.condition.null_condition.expand(len(empty.y), -1))
    torch.testing.assert_close(alone, (expected - velocity(empty.z0, empty.y)).square().mean(dim=(1, 2, 3)))
    together, _ = flow.velocities(rows)
    for row in range(len(rows.y)):  # each target as if it were the only one
        group, one = row // 2, slice(row, row + 1)
        z_s = rows.z_s[group:group + 1]
        streams = flow.features(rows.g_s[group:group + 1]), flow.features(rows.g_p[one])
        cond = model.aggregate(z_s, rows.z_p[one], *streams)
        found = model(point(rows.z0, rows.y, rows.t)[one], rows.t[one], z_s, rows.z_p[one], cond, model.reference(z_s))
        error = (found - velocity(rows.z0, rows.y)[one]).square().mean()
        torch.testing.assert_close(together[row], error, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("changes", [
    {}, {"reference_attention": False}, {"input_concatenation": False}, {"conditional_aggregation": False},
    {"dropout": 0.0}, {"two_sources": 1.0}])
def test_every_switch_trains(latents, changes):
    task = FlowTask(latents, tiny_flow(**changes), CPU)
    loss, values = task.loss(task.module, 0, 0.0)
    loss.backward()
    assert torch.isfinite(loss) and loss.item() == pytest.approx(values["conditional"].item(), rel=0.5)
    idle = [name for name, p in task.module.named_parameters() if p.grad is None]
    assert idle == (["transformer.condition.null_condition"] if idle else [])


def picture_batches(latents, people, groups=4, targets=3):
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    return PictureBatches(latents, bank, groups, targets, 0, CPU)


@torch.no_grad()
def test_refining_sees_the_pictures_of_its_latents(latents, people, tiny_vae):
    made = picture_batches(latents, people)
    rows, targets, turns = made.drawn(torch.Generator().manual_seed(3))
    pictures = made.pictures(targets, turns)
    assert set(turns.tolist()) == {0, 1}
    torch.testing.assert_close(tiny_vae.encode(pictures), rows.y, atol=2e-2, rtol=2e-2)
    t = rows.t.reshape(4, 3)
    assert (t[:, 0] == 0).all() and (t[:, 1:] > 0).all()


class Known:
    """A flow of which every evaluation is known: `offset` beside the way to the target."""

    def __init__(self, offset):
        self.offset, self.calls = offset, []
        self.attention, self.told = 0.0, {}

    def predictor(self, rows):
        self.answer = velocity(rows.z0, rows.y) + self.offset
        return self

    def __call__(self, z, t):
        self.calls.append((z, t))
        return self.answer

    and_attend = __call__

    @staticmethod
    def compared(found, right):
        return found, (found - right).square().mean(dim=(1, 2, 3))


@pytest.mark.parametrize("between", [torch.empty(0, 12), torch.tensor([[0.2] * 12, [0.7] * 12])])
def test_an_endpoint_is_measured_where_the_own_evaluations_lead(latents, people, tiny_vae, between):
    made = picture_batches(latents, people)
    rows, targets, turns = made.drawn(torch.Generator().manual_seed(3))
    picked = torch.tensor([0, 4])
    pictures = made.pictures(targets[picked], turns[picked])
    for weight, structure in ((1, 0), (0.25, 1)):
        options = RefineOptions(latents=weight, structure=structure, squares=0)
        flow = Known(0.5)
        errors, told = Endpoint(tiny_vae, options, between, picked, pictures)(flow, rows)
        # At t, the own evaluations have added t * 0.5, and the rest of the way adds the rest.
        expected = torch.full((12,), weight * 0.25 + structure * (1 - told["ssim"].item()))
        torch.testing.assert_close(errors.detach(), expected, atol=1e-3, rtol=0)
    (first, zero), *later, (line, t) = flow.calls
    assert torch.equal(first, rows.z0) and not zero.any() and torch.equal(t, rows.t)
    assert torch.equal(line[::3], rows.z0[::3])
    reached = rows.z0 + velocity(rows.z0, rows.y) + 0.5
    for part, (z, then) in zip((*between, torch.ones(12)), (*later, (line, t)), strict=True):
        torch.testing.assert_close(then, part * rows.t)
        torch.testing.assert_close(z, point(rows.z0, reached, then), atol=1e-3, rtol=0)
    flow = Known(0.0)
    same = tiny_vae.decode(rows.y[picked]).clamp(-1, 1)
    _, told = Endpoint(tiny_vae, RefineOptions(), between, picked, same)(flow, rows)
    assert max(told["start"], told["later"]) < 1e-6 and told["ssim"] == pytest.approx(1, abs=0.02)


@torch.no_grad()
def test_without_evaluations_all_targets_start_in_noise(latents, people, tiny_vae):
    rows, _, _ = picture_batches(latents, people).drawn(torch.Generator().manual_seed(3))
    none = torch.empty(0, dtype=torch.long)
    options = RefineOptions(evaluations=0)
    flow = Known(0.5)
    errors, _ = Endpoint(tiny_vae, options, torch.empty(0, 12), none, None)(flow, rows)
    (z, t), = flow.calls
    assert torch.equal(z, rows.z0) and not t.any()
    torch.testing.assert_close(errors, torch.full((12,), 0.25), atol=1e-3, rtol=0)


def test_refining_some_tokens_moves_no_others(latents, people, tiny_vae):
    told = CorrespondenceOptions(weight=0.05)
    options = RefineOptions(groups=4, tokens=5, pictures=0.5, dropout=0.0, correspondence=told)
    flow_options = tiny_flow()
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    task = RefineTask(latents, bank, tiny_vae, new_flow(flow_options, latents.shape), flow_options, options, CPU)
    rows, _, _ = task.batches.drawn(torch.Generator().manual_seed(3))
    assert rows.order.shape == (12, 5) and rows.matches.shares.shape == (12, 5, 16)
    loss, told = task.loss(task.module, 0, 0.0)
    loss.backward()
    assert torch.isfinite(loss) and 0 < told["ssim"] < 1 and told["attention"] > 0
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in task.module.parameters())
