"""Making every path straight towards the likeliest picture, and that picture look like the target.

A flow that has not learnt for long knows what is likely better than how to paint it: each further evaluation paints
noise of its own, and few evaluations are better than many. Here it learns, from the points that its own evaluations
lead to, the velocity that ends at the target itself. Each evaluation then is an estimate of the target, given the
source, the pose and the estimates before it. So more evaluations are no longer worse than few, and the answer depends
little on the noise, which a video is glad of. What is given up is the distribution: where a source leaves open what
the back looks like, the flow answers with a compromise rather than with one of many.

The estimates are decoded, and the decoded pictures compared with the targets by structural similarity, because a mean
in latents alone is a blur.
"""

import copy
from dataclasses import dataclass, field, replace

import torch

from posed_recipe.autoencoder import AutoencoderKL
from posed_recipe.autoencoder.losses import similarity
from posed_recipe.errors import RecipeError
from posed_recipe.flow.batches import Batches
from posed_recipe.flow.correspondence import CorrespondenceOptions
from posed_recipe.flow.path import strata
from posed_recipe.flow.trainer import FlowTask, rows_without
from posed_recipe.training.loop import TrainingOptions, autocast, generator


@dataclass
class RefineOptions:
    """How the endpoint is learnt."""

    groups: int = 16
    """Sources in a step, over all processes."""
    targets: int = 3
    """Targets of each source; the first starts at t = 0, the others anywhere on their way."""
    evaluations: int = 1
    """So many evaluations, the first at t = 0, the others at times of chance, lead to a point on the way; 0 lets all
    targets start at t = 0, which takes two thirds of the time."""
    tokens: int | None = None
    """So many tokens of each target are computed, those on and about the person first, where latents come with places;
    half of them take two thirds of the time. Pictures have the right answer at the others."""
    latents: float = 1.0
    """Weight of the latents' mean squared error."""
    pictures: float = 0.25
    """Part of the rows that are decoded and compared as pictures."""
    structure: float = 0.25
    """Weight of 1 - SSIM of the decoded pictures."""
    squares: float = 2.0
    """Weight of their mean squared error, in units of half the range."""
    dropout: float = 0.05
    """Part of the rows that has no condition: the empty branch goes on learning the usual flow."""
    correspondence: CorrespondenceOptions = field(default_factory=CorrespondenceOptions)
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(
        optimizer="muon", learning_rate=6e-5, warmup_steps=20, decay=0.9))


class PictureBatches(Batches):
    """Batches that also hand out the targets' pictures."""

    def __init__(self, store, bank, groups, targets, empty, processes, telling=None):
        super().__init__(store, groups, targets, empty, processes, telling)
        if len(bank) < len(store):
            raise RecipeError(f"{len(store)} pictures expected, as there are latents, but there are {len(bank)}")
        self.bank = bank

    def drawn(self, random):
        """This process's rows, whose z0 and t tell the lines, and their targets' numbers and turns [G*K].

        Of the colours, only the first has its pictures.
        """
        numbers, colours = self.numbers(random), self.store.shape.colours
        numbers = replace(numbers, variant=numbers.variant // colours * colours)
        g, k = numbers.target.shape
        z0 = torch.randn(g * k, *self.store.shape.latent, generator=random, device=self.store.device)
        t = torch.cat([torch.zeros(g, 1, device=z0.device), strata(g * (k - 1), random).reshape(g, k - 1)], 1).flatten()
        mine = self.processes.share(g)
        rows = slice(mine.start * k, mine.stop * k)
        target, variant = numbers.target[mine].flatten(), numbers.variant[mine].repeat_interleave(k)
        y = self.store.gather("latents", target, variant)
        return self.conditions(numbers, mine, y, z0[rows], t[rows]), target, variant // colours

    def pictures(self, targets, turns):
        """Pictures [B, 3, H, W] in [-1, 1] by number, turned left to right where `turns` is 1."""
        found = self.bank.pictures[targets.to(self.bank.pictures.device)].to(self.store.device)
        return torch.where(turns[:, None, None, None] > 0, found.flip(-1), found).float() / 127.5 - 1


@dataclass
class Endpoint:
    """The measure of a `FlowModel`'s rows: where a straight line from each point would end, against the target."""

    autoencoder: AutoencoderKL
    options: RefineOptions
    between: torch.Tensor
    """[E - 1, G*K], ascending: parts of each row's time at which the evaluations after the first are made"""
    picked: torch.Tensor
    """Numbers [P] of the rows that are decoded."""
    pictures: torch.Tensor
    """[P, 3, H, W], their targets"""

    def __call__(self, flow, rows):
        """Errors [G*K] of the latents, with those of the pictures added, and what is worth telling."""
        predict = flow.predictor(rows)
        t = rows.t if self.options.evaluations else torch.zeros_like(rows.t)
        reached = rows.z0
        if self.options.evaluations:
            with torch.no_grad():
                reached = walk(predict, rows.z0, (*(self.between * t), t))
            # Up to PyTorch 2.10 autocast would go on with the casts made there, which no gradient passes.
            torch.clear_autocast_cache()
        ends = reached + (1 - t)[:, None, None, None] * predict.and_attend(reached, t).float()
        ends, errors = predict.compared(ends, rows.y)
        by_group = errors.detach().reshape(len(rows.z_s), -1)
        told = {"start": by_group[:, 0].mean(), "later": by_group[:, 1:].mean()} | predict.told
        errors = self.options.latents * errors + predict.attention
        if len(self.picked):
            decoded = self.autoencoder.decode(ends[self.picked]).float().clamp(-1.1, 1.1)
            alike = similarity(decoded, self.pictures)
            squares = (decoded - self.pictures).square().mean()
            errors = errors + self.options.structure * (1 - alike) + self.options.squares * squares
            told |= {"ssim": alike.detach(), "squares": squares.detach()}
        return errors, told


def walk(predict, z, times):
    """Where Euler's steps from latents [B, C, h, w] at t = 0 lead; each of `times` [B] is the end of one."""
    now = torch.zeros_like(times[0])
    for then in times:
        z, now = z + (then - now)[:, None, None, None] * predict(z, now).float(), then
    return z


class RefineTask(FlowTask):
    """What a `Trainer` runs to refine a flow on latents and the pictures that they come from."""

    def __init__(self, store, bank, autoencoder, flow, flow_options, options, processes, watcher=None):
        super().__init__(store, flow_options, processes, flow, watcher)
        self.training, self.refining = options.training, options
        self.autoencoder = copy.deepcopy(autoencoder).eval().requires_grad_(False)
        empty = rows_without(options.groups * options.targets, options.dropout, processes.world)
        self.batches = PictureBatches(
            store, bank, options.groups, options.targets, empty, processes, self.telling(options.correspondence, options.tokens))

    def loss(self, model, step, progress):
        """Loss of one step."""
        device = self.processes.device
        random = generator(device, self.training.seed + 2, step)
        rows, targets, turns = self.batches.drawn(random)
        empty = self.batches.without(random)
        picked = torch.randperm(len(targets), generator=random, device=device)
        picked = picked[:round(self.refining.pictures * len(targets))]
        pictures = self.batches.pictures(targets[picked], turns[picked])
        shape = max(0, self.refining.evaluations - 1), len(targets)
        between = torch.rand(shape, generator=random, device=device).sort(dim=0).values
        with autocast(device, self.training.precision):
            return model(rows, empty, Endpoint(self.autoencoder, self.refining, between, picked, pictures))
