"""Training a decoder on a flow's answers.

A decoder that knows nothing but pictures' own latents takes every mistake of a flow for a picture's detail. Here it
learns which picture is the likeliest behind an answer, and goes on learning to reconstruct. The encoder stays, and
with it latents, and flows trained on them.
"""

import copy
from dataclasses import dataclass, field

import torch

from posed_recipe.autoencoder import AutoencoderKL
from posed_recipe.autoencoder.losses import similarity
from posed_recipe.flow.refine import PictureBatches, walk
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
    reconstructed: float = 0.5
    """Part of a step's targets that are decoded from their own latents, too."""
    structure: float = 0.5
    """Weight of 1 - SSIM of the pictures decoded from answers; half of it weighs that of reconstructions."""
    squares: float = 2.0
    """Weight of the mean squared error of answers, in units of half the range."""
    reconstructed_squares: float = 10.0
    """Weight of that of reconstructions."""
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(
        learning_rate=3e-4, weight_decay=0.0, warmup_steps=20, decay=1.0))


class Decoding(torch.nn.Module):
    """The decoder as it is trained: answers, latents and pictures to losses."""

    def __init__(self, autoencoder: AutoencoderKL, options):
        super().__init__()
        self.autoencoder, self.options = autoencoder, options

    def forward(self, answers, latents, pictures):
        """Answers [B, C, h, w], latents [R, C, h, w] of the first R of the pictures [B, 3, H, W] -> loss, numbers."""
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
        return loss, told


class DecoderTask:
    """What a `Trainer` runs."""

    def __init__(self, store, bank, autoencoder, flow, options, processes):
        self.options, self.processes = options, processes
        self.flow = flow.to(processes.device).eval().requires_grad_(False)
        autoencoder = copy.deepcopy(autoencoder).train().requires_grad_(False)
        for part in (autoencoder.decoder, getattr(autoencoder, "post_quant_conv", None)):
            if part is not None:
                part.requires_grad_(True)
        self.module = Decoding(autoencoder, options).to(processes.device)
        self.batches = PictureBatches(store, bank, options.groups, options.targets, 0, processes)

    def loss(self, model, step, progress):
        """Loss of one step."""
        options, device = self.options, self.processes.device
        rows, targets, turns = self.batches.drawn(generator(device, options.training.seed + 3, step))
        steps = options.evaluations[step % len(options.evaluations)]
        ends = torch.linspace(0, 1, steps + 1, device=device)[1:, None].expand(-1, len(targets))
        with autocast(device, options.training.precision):
            with torch.no_grad():
                answers = walk(self.flow.predictor(rows), rows.z0, ends)
            again = rows.y[:round(options.reconstructed * len(targets))]
            return model(answers, again, self.batches.pictures(targets, turns))


def train_decoder(task, folder, budget, deadline=None):
    """Trains in `folder`; gives the autoencoder with averaged weights, or None if time ran out."""
    trainer = Trainer(folder, "decoder", task, budget, task.options.training, task.processes, deadline)
    return copy.deepcopy(trainer.averaged().autoencoder) if trainer.run() else None
