"""Training a decoder on a flow's answers.

A decoder that knows nothing but pictures' own latents takes every mistake of a flow for a picture's detail. Here it
learns which picture is the likeliest behind an answer, and goes on learning to reconstruct. The encoder stays, and
with it latents, and flows trained on them.

The likeliest picture is a blur where an answer leaves details open. `contrast` and `critic` ask for one of the sharp
pictures instead.
"""

import copy
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

from posed_recipe.autoencoder import AutoencoderKL
from posed_recipe.autoencoder.critic import Critic, balanced, focus_points, focused_difference
from posed_recipe.autoencoder.losses import contrast_difference, similarity
from posed_recipe.errors import RecipeError
from posed_recipe.flow.refine import PictureBatches, walk
from posed_recipe.pose import mirror
from posed_recipe.training.loop import Trainer, TrainingOptions, autocast, generator


@dataclass
class DecoderOptions:
    """How the decoder is trained."""

    groups: int = 4
    """Sources in a step, over all processes."""
    targets: int = 3
    """Targets of each source."""
    evaluations: tuple = (1, 2, 4, 8)
    """A step's answers are of one of these numbers of evaluations, in turns."""
    kept: int = 0
    """So many steps' answers are made before the first step and used over and over; 0: new ones in every step."""
    crop: int | None = None
    """The side of the pieces that are decoded, half of which show a hand or the head; without it pictures are decoded
    whole."""
    pieces: int = 2
    """Pieces of each picture."""
    whole: float = 0.25
    """Part of the training, at its end, that decodes whole pictures."""
    reconstructed: float = 0.5
    """Part of a step's targets that are decoded from their own latents, too."""
    structure: float = 0.5
    """Weight of 1 - SSIM of the pictures decoded from answers; half of it weighs that of reconstructions."""
    squares: float = 2.0
    """Weight of the mean squared error of answers, in units of half the range."""
    reconstructed_squares: float = 10.0
    """Weight of that of reconstructions."""
    contrast: float = 0.0
    """Weight of how much stronger or weaker slopes are than the target's, about each place."""
    focus: float = 0.0
    """Weight of the absolute difference about hands and heads."""
    critic: float = 0.0
    """The share of a critic's complaints, which tells patches of pictures from decoded ones and learns beside the
    decoder: so large is their gradient, measured by that of all other losses."""
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(
        learning_rate=3e-4, weight_decay=0.0, warmup_steps=20, decay=1.0))


class Pieces(NamedTuple):
    """Pieces of pictures, and of the latents that are decoded to them."""

    answers: torch.Tensor
    """[B, C, h, w]"""
    latents: torch.Tensor
    """[R, C, h, w], of the first R pictures"""
    pictures: torch.Tensor
    """[B, 3, H, W] in [-1, 1]"""
    points: torch.Tensor
    """[B, 130, 3]"""


class Decoding(torch.nn.Module):
    """The decoder as it is trained: answers, latents and pictures to losses."""

    def __init__(self, autoencoder: AutoencoderKL, options):
        super().__init__()
        self.autoencoder, self.options = autoencoder, options
        self.critic = Critic() if options.critic else None

    def forward(self, answers, latents, pictures, points):
        """The fields of `Pieces` -> loss, numbers."""
        o = self.options
        decoded = self.autoencoder.decode(torch.cat([answers, latents])).float()
        made, again = decoded.split([len(answers), len(latents)])
        alike, squares = similarity(made, pictures), (made - pictures).square().mean()
        loss = o.structure * (1 - alike) + o.squares * squares
        told = {"ssim": alike.detach(), "squares": squares.detach()}
        if len(again):
            known = pictures[:len(again)]
            error = (again - known).square().mean()
            loss = loss + 0.5 * o.structure * (1 - similarity(again, known)) + o.reconstructed_squares * error
            told["psnr"] = 10 * torch.log10(4 / error.detach())
        extra, more = self.sharpness(decoded, pictures, points, len(latents))
        loss = loss + extra
        if self.critic is not None:
            own, complaint = self.critic.own_loss(pictures, decoded), self.critic.complaint(decoded)
            loss = balanced(loss, complaint, decoded, o.critic) + own
            more |= {"critic": own.detach(), "complaint": complaint.detach()}
        return loss, told | more

    def sharpness(self, decoded, pictures, points, again):
        """The losses of contrast and focus of all that was decoded, the last `again` of which show the first pictures."""
        o, loss, told = self.options, 0.0, {}
        pictures, points = (torch.cat([one, one[:again]]) for one in (pictures, points))
        if o.contrast:
            apart = contrast_difference(decoded, pictures)
            loss, told = loss + o.contrast * apart, told | {"contrast": apart.detach()}
        if o.focus:
            apart = focused_difference(decoded, pictures, points)
            loss, told = loss + o.focus * apart, told | {"focus": apart.detach()}
        return loss, told


class DecoderTask:
    """What a `Trainer` runs."""

    def __init__(self, store, bank, autoencoder, flow, options, processes):
        self.options, self.processes, self.bank = options, processes, bank
        self.flow = flow.to(processes.device).eval().requires_grad_(False)
        autoencoder = copy.deepcopy(autoencoder).train().requires_grad_(False)
        for part in (autoencoder.decoder, getattr(autoencoder, "post_quant_conv", None)):
            if part is not None:
                part.requires_grad_(True)
        self.scale = autoencoder.config.downsampling
        if options.crop is not None and options.crop % self.scale:
            raise RecipeError(f"crop must be a multiple of {self.scale}, but it is {options.crop}")
        self.module = Decoding(autoencoder, options).to(processes.device)
        self.batches = PictureBatches(store, bank, options.groups, options.targets, 0, processes)
        self.made = {}

    def answers(self, number):
        """One step's answers, their targets' latents, numbers and turns."""
        if self.options.kept:
            number %= self.options.kept
        if number in self.made:
            return self.made[number]
        options, device = self.options, self.processes.device
        rows, targets, turns = self.batches.drawn(generator(device, options.training.seed + 3, number))
        steps = options.evaluations[number % len(options.evaluations)]
        ends = torch.linspace(0, 1, steps + 1, device=device)[1:, None].expand(-1, len(targets))
        with torch.no_grad(), autocast(device, options.training.precision):
            found = walk(self.flow.predictor(rows), rows.z0, ends), rows.y, targets, turns
        if self.options.kept:
            self.made[number] = found
        return found

    def loss(self, model, step, progress):
        """Loss of one step."""
        pieces = self.pieces(step, progress >= 1 - self.options.whole)
        with autocast(self.processes.device, self.options.training.precision):
            return model(*pieces)

    def pieces(self, step, whole):
        """The `Pieces` of one step."""
        options, device = self.options, self.processes.device
        answers, y, targets, turns = self.answers(step)
        pictures, points = self.batches.pictures(targets, turns), self.points(targets, turns)
        if options.crop is not None and not whole:
            random = generator(device, options.training.seed + 3, step, stream=self.processes.rank + 1)
            row = torch.arange(options.pieces * len(targets), device=device) % len(targets)
            side = options.crop // self.scale
            corners = self.corners(points[row], answers.shape[-2:], side, random)
            answers, y = cut(answers[row], corners, side), cut(y[row], corners, side)
            pictures = cut(pictures[row], corners * self.scale, options.crop)
            points = points[row].clone()
            points[..., :2] -= self.scale * corners[:, None].flip(-1)
            points[..., 2] *= ((points[..., :2] >= 0) & (points[..., :2] < options.crop)).all(-1)
        return Pieces(answers, y[:round(options.reconstructed * len(answers))], pictures, points)

    def points(self, targets, turns):
        """Points [B, 130, 3] of targets by number, turned where `turns` is 1."""
        found = self.bank.keypoints[targets.to(self.bank.keypoints.device)].to(self.processes.device)
        turned = mirror(found, self.bank.pictures.shape[-1])
        return torch.where(turns[:, None, None] > 0, turned, found)

    def corners(self, points, grid, side, random):
        """Corners [B, 2], (row, column) in latents of `grid`: half of them so that a hand or the head is inside."""
        device, count = points.device, len(points)
        room = torch.tensor(grid, device=device) - side
        free = (torch.rand(count, 2, generator=random, device=device) * (room + 1)).long()
        chosen = focus_points(points)
        weights = (chosen[..., 2] > 0).float()
        some = weights.sum(1) > 0
        pick = torch.multinomial(weights + (~some)[:, None], 1, generator=random)
        at = chosen[torch.arange(count, device=device), pick[:, 0], :2].flip(-1) / self.scale
        shift = torch.rand(count, 2, generator=random, device=device) * 0.5 + 0.25
        near = torch.minimum((at - shift * side).round().long().clamp_min(0), room)
        use = some & (torch.rand(count, generator=random, device=device) < 0.5)
        return torch.where(use[:, None], near, free)


def cut(planes, corners, side):
    """[B, C, side, side] of planes [B, C, H, W], from corners [B, 2] on."""
    along = torch.arange(side, device=planes.device)
    rows = (corners[:, 0, None] + along)[:, None, :, None]
    columns = (corners[:, 1, None] + along)[:, None, None, :]
    every = torch.arange(len(planes), device=planes.device)[:, None, None, None]
    return planes[every, torch.arange(planes.shape[1], device=planes.device)[None, :, None, None], rows, columns]


def train_decoder(task, folder, budget, deadline=None):
    """Trains in `folder`; gives the autoencoder with averaged weights, or None if time ran out."""
    trainer = Trainer(folder, "decoder", task, budget, task.options.training, task.processes, deadline)
    return copy.deepcopy(trainer.averaged().autoencoder) if trainer.run() else None
