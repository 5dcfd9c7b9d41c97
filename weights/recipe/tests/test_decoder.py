"""A decoder that learns the flow's answers."""

import json

import pytest
import torch
from small import CPU, tiny_flow

from posed_recipe.data.bank import PictureBank
from posed_recipe.data.pictures import read_pictures
from posed_recipe.errors import RecipeError
from posed_recipe.flow.decoder import DecoderOptions, DecoderTask, train_decoder
from posed_recipe.flow.trainer import new_flow
from posed_recipe.latents.precompute import fingerprint
from posed_recipe.training import Budget


def told(folder):
    """The lines of a training's log."""
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_decoder_learns_the_flows_answers_and_leaves_latents_alone(latents, people, tiny_vae, tmp_path):
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    options = DecoderOptions(groups=4, targets=2, evaluations=(1, 2))
    options.training.precision, options.training.log_every, options.training.learning_rate = "f32", 1, 2e-3
    flow = new_flow(tiny_flow(), latents.shape)
    before = {name: p.detach().clone() for name, p in flow.named_parameters()}
    task = DecoderTask(latents, bank, tiny_vae, flow, options, CPU)
    trained = train_decoder(task, tmp_path, Budget(steps=24))
    assert fingerprint(trained) == fingerprint(tiny_vae)
    assert all(torch.equal(before[name], p) for name, p in flow.named_parameters())
    losses = [line["loss"] for line in told(tmp_path)]
    assert len(losses) == 24 and sum(losses[-4:]) < 0.8 * sum(losses[:4])
    assert not torch.equal(trained.decoder.conv_out.weight, tiny_vae.decoder.conv_out.weight)


def test_a_decoder_learns_sharp_pieces(latents, people, tiny_vae, tmp_path):
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    options = DecoderOptions(groups=2, targets=1, evaluations=(1, 2), kept=2, crop=32, pieces=3, reconstructed=0.34,
                             contrast=0.1, focus=0.3, critic=0.5)
    options.training.precision, options.training.log_every = "f32", 1
    task = DecoderTask(latents, bank, tiny_vae, new_flow(tiny_flow(), latents.shape), options, CPU)
    assert train_decoder(task, tmp_path, Budget(steps=6)) is not None
    assert sorted(task.made) == [0, 1]  # made once and used three times
    assert all(key in told(tmp_path)[-1] for key in ("contrast", "focus", "critic", "complaint", "psnr"))
    assert task.pieces(0, whole=True).pictures.shape == (2, 3, 64, 64)
    options.crop = 30
    with pytest.raises(RecipeError, match="a multiple of 8, but it is 30"):
        DecoderTask(latents, bank, tiny_vae, new_flow(tiny_flow(), latents.shape), options, CPU)


def test_a_decoders_pieces_show_what_their_latents_do(latents, people, tiny_vae):
    """Bytes that count pixels say where each piece lies, and points lie where they lay."""
    bank = PictureBank.of(read_pictures(people, (64, 64)), CPU.device)
    place = torch.arange(64, dtype=torch.uint8)
    bank.pictures[:, 0], bank.pictures[:, 1] = place[:, None], place
    options = DecoderOptions(groups=4, targets=2, evaluations=(1,), crop=24, pieces=4, reconstructed=1.0)
    options.training.precision = "f32"
    task = DecoderTask(latents, bank, tiny_vae, new_flow(tiny_flow(), latents.shape), options, CPU)
    random = torch.Generator().manual_seed(3)
    bank.keypoints[:, :, :2] = torch.rand(len(bank), 130, 2, generator=random) * 60 + 2
    bank.keypoints[:, :, 2] = 1
    whole, pieces = task.pieces(0, whole=True), task.pieces(0, whole=False)
    assert pieces.answers.shape == (32, 4, 3, 3) and pieces.points.shape == (32, 130, 3)
    corners = ((pieces.pictures[:, :2].flatten(2).amin(-1) + 1) * 127.5).round().long()
    for number, (top, left) in enumerate(corners.tolist()):
        row = number % 8
        turned = whole.pictures[row, 1, 0, 0] > whole.pictures[row, 1, 0, 1]
        left = 63 - left - 23 if turned else left
        assert top % 8 == 0 and left % 8 == 0
        for part, all_of in ((pieces.answers, whole.answers), (pieces.latents, whole.latents)):
            assert torch.equal(part[number], all_of[row, :, top // 8:top // 8 + 3, left // 8:left // 8 + 3])
        inside = pieces.points[number, :, 2] > 0
        back = pieces.points[number, inside, :2] + torch.tensor([left, top])
        torch.testing.assert_close(back, whole.points[row, inside, :2])
