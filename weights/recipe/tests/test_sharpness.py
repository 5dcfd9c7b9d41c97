"""What makes an autoencoder's pictures sharp: critic, equivariance, focus."""

import json

import pytest
import torch
from small import CPU, tiny_autoencoder

from posed_recipe.autoencoder.critic import Critic, balanced, changed_alike, focus
from posed_recipe.autoencoder.losses import contrast_difference
from posed_recipe.autoencoder.trainer import AutoencoderTask, train_autoencoder, widened
from posed_recipe.data.bank import PictureBank
from posed_recipe.data.pictures import read_pictures
from posed_recipe.pose import POINTS
from posed_recipe.training import Budget


def test_critic_and_maker_learn_from_their_own_losses_alone():
    torch.manual_seed(0)
    critic, real = Critic(8), torch.randn(2, 3, 32, 32)
    made = torch.randn(2, 3, 32, 32, requires_grad=True)
    critic.complaint(made).backward()
    assert made.grad.abs().sum() > 0 and all(p.grad is None for p in critic.parameters())
    made.grad = None
    critic.own_loss(real, made).backward()
    assert made.grad is None and all(p.grad is not None for p in critic.parameters())
    optimizer = torch.optim.AdamW(critic.parameters(), 1e-2)
    before = critic.own_loss(real, made).item()
    for _ in range(20):
        optimizer.zero_grad()
        critic.own_loss(real, made).backward()
        optimizer.step()
    assert critic.own_loss(real, made).item() < before


def test_pictures_and_latents_are_changed_alike():
    picture = torch.rand(1, 3, 32, 16)
    latent = torch.nn.functional.avg_pool2d(picture, 8)
    smaller, turned = changed_alike(picture, latent)
    assert smaller.shape == (1, 3, 8, 16) and turned.shape == (1, 3, 1, 2)
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(smaller, 8), turned)


def test_focus_is_about_hands_and_heads_that_are_there():
    points = torch.zeros(2, POINTS, 3)
    points[0, 18 + 8] = torch.tensor([20.0, 40.0, 1.0])  # a fingertip
    points[0, 9] = torch.tensor([50.0, 10.0, 1.0])  # a knee
    found = focus(points, 64, 64)[:, 0]
    assert found[0, 40, 20] > 0.9 and found[0, 10, 50] == 0 and found[1].max() == 0


def test_contrast_asks_for_slopes_wherever_they_are():
    random = torch.Generator().manual_seed(0)
    target = torch.rand(1, 3, 64, 64, generator=random) * 2 - 1
    blurred = torch.nn.functional.avg_pool2d(target, 3, 1, 1)
    moved = target.roll((1, 1), (-2, -1))
    assert contrast_difference(target, target) == 0
    assert contrast_difference(moved, target) < 0.2 * contrast_difference(blurred, target)
    assert (moved - target).square().mean() > 1.5 * (blurred - target).square().mean()


def test_a_complaint_has_its_share():
    made = torch.randn(1, 3, 8, 8, requires_grad=True)
    for size in (1e-3, 10.0):
        whole = balanced(made.sum(), size * made.square().sum(), made, 0.5)
        (found,) = torch.autograd.grad(whole, made)
        torch.testing.assert_close((found - 1).norm(), 0.5 * torch.ones_like(made).norm())


def test_points_follow_their_pictures(people):
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    bank.pictures[:] = 0
    bank.keypoints[:] = 0
    random = torch.Generator().manual_seed(1)
    places = torch.randint(2, 62, (len(bank), 2), generator=random)
    for number, (x, y) in enumerate(places.tolist()):
        bank.pictures[number, :, y, x] = 255
        bank.keypoints[number, 0] = torch.tensor([x + 0.5, y + 0.5, 1.0])
    options = tiny_autoencoder()
    options.poses = 0.0
    pictures, points = AutoencoderTask(bank, options, CPU).draw(12, 32, random)
    seen = 0
    for picture, (x, y, confidence) in zip(pictures, points[:, 0]):
        bright = (picture[0] > 100).nonzero()
        assert len(bright) == int(confidence)
        if confidence:
            assert bright[0].tolist() == [int(y), int(x)]
            seen += 1
    assert seen


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_training_with_all_of_them_goes_on(people, tmp_path, optimizer):
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    options = tiny_autoencoder()
    options.critic, options.equivariance, options.focus, options.latent_channels = 0.1, 0.5, 1.0, 8
    options.training.optimizer = optimizer
    made = train_autoencoder(bank, tmp_path, Budget(steps=3), options, CPU)
    assert made.config.latent_channels == 8 and not any("critic" in name for name in made.state_dict())
    told = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert all(key in told[-1] for key in ("critic", "complaint", "equivariance", "focus"))
    assert train_autoencoder(bank, tmp_path, Budget(steps=5), options, CPU) is not None


def test_more_channels_paint_the_same_at_first(people, tiny_vae):
    pictures = torch.rand(2, 3, 64, 64) * 2 - 1
    wide = widened(tiny_vae, 9).eval()
    assert wide.config.latent_channels == 9 and tiny_vae.config.latent_channels == 4
    with torch.no_grad():
        latents = wide.posterior(pictures)[0]
        torch.testing.assert_close(latents[:, :4], tiny_vae.posterior(pictures)[0])
        assert latents[:, 4:].std() > 0
        torch.testing.assert_close(wide.reconstruct(latents), tiny_vae.reconstruct(latents[:, :4]))
    assert wide.decoder.conv_in.weight[:, 4:].abs().max() == 0
