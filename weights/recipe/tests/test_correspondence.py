"""Telling attention where to look."""

from dataclasses import replace

import pytest
import torch
from small import CPU, tiny_flow

from posed_recipe.data.pictures import read_pictures
from posed_recipe.errors import RecipeError
from posed_recipe.flow.correspondence import CorrespondenceOptions, Matches, attention_error, matches, ranked
from posed_recipe.flow.path import point, velocity
from posed_recipe.flow.trainer import FlowTask, new_flow
from posed_recipe.latents import LatentStore
from posed_recipe.people import parts

GRID = 4, 4
TOLD = CorrespondenceOptions(weight=0.05)


def blank(*lead):
    return torch.zeros(*lead, 8, 8, 4, dtype=torch.uint8)


def person(maps, rows, columns, first=0):
    """Puts a person into maps [..., 8, 8, 4]; its cells' places are a decimetre apart, row by row from `first` on."""
    step = round(1 / parts.PLACE_STEP)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            place = torch.tensor([20 + step * (j + first), 20 + step * (i + first), 100, parts.TOP])
            maps[..., row, column, :] = place.to(torch.uint8)
    return maps


def test_a_place_is_found_where_the_source_shows_it():
    source = person(blank(1, 1), range(2, 6), range(0, 4))
    target = person(blank(1), range(2, 6), range(4, 8))  # two tokens to the right
    order = ranked(source, target, GRID)
    assert set(order[0, :4].tolist()) == {6, 7, 10, 11}
    found = matches(source, target, GRID, order[:, :8], CorrespondenceOptions(near=0.2))
    for i in range(4):
        assert found.seen[0, i] == 1 and found.shares[0, i].argmax() == order[0, i] - 2
        assert found.shares[0, i].sum() == pytest.approx(1) and found.shares[0, i].max() > 0.99
    assert not found.seen[0, 4:].any() and not found.shares[0, 4:].any()


def test_what_the_source_does_not_show_is_not_told():
    source = person(blank(1, 1), range(2, 6), range(0, 4))
    target = person(blank(1), range(2, 6), range(4, 8), first=2)  # half of it in each direction is new
    found = matches(source, target, GRID, torch.tensor([[6, 7, 10, 11]]), CorrespondenceOptions(near=0.2, reach=0.9))
    assert found.seen[0].tolist() == [1, 0, 0, 0] and found.shares[0, 0].argmax() == 9


def test_any_source_will_do_and_furniture_is_nobody():
    sources = torch.stack([blank(), person(blank(), range(2, 6), range(0, 4))])[None]
    sources[0, 0, ..., 3] = parts.FURNITURE
    target = person(blank(1), range(2, 6), range(4, 8))
    found = matches(sources, target, GRID, torch.tensor([[6]]), CorrespondenceOptions(near=0.2))
    assert found.shares.shape == (1, 1, 32) and found.shares[0, 0].argmax() == 16 + 4


def test_attention_is_charged_for_looking_elsewhere():
    shares = torch.zeros(2, 3, 5)
    shares[:, 0, 1] = shares[:, 1, 4] = 1
    options = CorrespondenceOptions(first=0.5)
    found = Matches(shares, torch.tensor([[1.0, 1.0, 0.0]] * 2), options)
    q, k = torch.zeros(2, 2, 6, 5), torch.eye(5).expand(1, 2, 5, 5).clone()
    idle = attention_error([q] * 4, [(k, k)] * 4, found)
    assert idle.item() == pytest.approx(torch.tensor(5.0).log().item())
    q[:, 1, 0, 1] = q[:, 1, 1, 4] = 40  # the second head knows; the third token's answer does not count
    q[:, 1, 2, 0] = 40
    known = [torch.zeros_like(q), torch.zeros_like(q), q, torch.zeros_like(q)]
    assert attention_error(known, [(k, k)] * 4, found).item() < 1e-3, "the third of four blocks is the only one told"
    wrong = q.roll(1, dims=-1)
    assert attention_error([wrong] * 4, [(k, k)] * 4, found).item() == pytest.approx(idle.item())


@torch.no_grad()
def test_tokens_that_are_left_out_change_others_only_by_their_absence(latents):
    flow = new_flow(tiny_flow(), latents.shape)
    model = flow.transformer.eval()
    for parameter in model.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel())) * 0.2)
    z, z_s, z_p = torch.randn(3, 4, *latents.shape.latent).unbind(0)
    t, cond, cached = torch.rand(4), torch.randn(4, 32), model.reference(z_s)
    whole = model(z, t, z_s, z_p, cond, cached)
    order = torch.stack([torch.randperm(16) for _ in range(4)])
    torch.testing.assert_close(model(z, t, z_s, z_p, cond, cached, order=order), whole, rtol=1e-4, atol=1e-5)
    some = model(z, t, z_s, z_p, cond, cached, order=order[:, :5])
    tokens = some.unflatten(2, (4, 2)).unflatten(4, (4, 2)).abs().sum(dim=(1, 3, 5)).flatten(1) > 0
    assert (tokens.sum(1) == 5).all() and tokens.gather(1, order[:, :5]).all()


def test_a_flow_learns_where_to_look(latents, people):
    assert latents.shape.surface == 32
    pictures = read_pictures(people, (64, 64))
    assert torch.equal(latents.arrays["surfaces"], torch.from_numpy(pictures.surfaces))
    task = FlowTask(latents, tiny_flow(depth=4, two_sources=0.0, groups=8, correspondence=TOLD), CPU)
    optimizer, errors = torch.optim.Adam(task.module.parameters(), 3e-3), []
    for step in range(40):
        optimizer.zero_grad()
        loss, told = task.loss(task.module, step, 0.0)
        errors.append(told["attention"].item())
        assert loss.item() > told["conditional"].item() * 0.5
        loss.backward()
        optimizer.step()
    assert sum(errors[-5:]) < 0.9 * sum(errors[:5])


def test_places_are_asked_for_only_where_they_are(latents, people, tmp_path):
    without = tiny_flow(correspondence=TOLD, reference_attention=False)
    with pytest.raises(RecipeError, match="reference attention"):
        FlowTask(latents, without, CPU)
    for file in latents.folder.iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "store.json").unlink()
    replace(latents.shape, surface=None).write(tmp_path)
    old = LatentStore(tmp_path)
    with pytest.raises(RecipeError, match="places on the person expected"):
        FlowTask(old, tiny_flow(correspondence=TOLD), CPU)
    task = FlowTask(old, tiny_flow(), CPU)
    loss, told = task.loss(task.module, 0, 0.0)
    assert torch.isfinite(loss) and "attention" not in told


def test_turned_pictures_have_turned_places(latents):
    numbers, turned = torch.tensor([[3], [5]]), torch.tensor([[True], [False]])
    found = latents.surfaces(numbers, turned)
    assert torch.equal(found[0, 0], latents.arrays["surfaces"][3].flip(1))
    assert torch.equal(found[1, 0], latents.arrays["surfaces"][5])


@torch.no_grad()
def test_only_computed_tokens_are_compared(latents):
    options = tiny_flow(two_sources=0.0)
    task = FlowTask(latents, options, CPU)
    task.batches.telling = task.telling(options.correspondence, 6)
    rows = task.batches.conditional(torch.Generator().manual_seed(2))
    assert rows.order.shape == (8, 6)
    predict = task.module.predictor(rows)
    right = velocity(rows.z0, rows.y)
    found = predict(point(rows.z0, rows.y, rows.t), rows.t)
    whole, errors = predict.compared(found, right)
    same = (whole == right).unflatten(2, (4, 2)).unflatten(4, (4, 2)).all(5).all(3).all(1).flatten(1)
    assert (same.sum(1) == 10).all()
    torch.testing.assert_close(errors, (whole - right).square().mean(dim=(1, 2, 3)) * 16 / 6)
