"""What a step of the flow's training sees, drawn on the device from precomputed latents.

Rows come in groups: one source (or two) with several targets of the same person. The reference stream and
the source's encoding are then computed once for all targets of a group, as they are in use, which nearly
halves the work of a step. Rows without condition stand apart, for they need neither.
"""

from dataclasses import dataclass

import torch

from posed_recipe.flow.correspondence import Matches, matches, ranked
from posed_recipe.flow.path import training_times


@dataclass
class ConditionalRows:
    """G groups of K targets; S sources each, or no axis for one."""

    z_s: torch.Tensor
    """[G, C, h, w] or [G, S, C, h, w]"""
    g_s: torch.Tensor | None
    """Thumbnails [G(, S), 3, side, side] or features [G(, S), T, F]."""
    z_p: torch.Tensor
    """[G*K, C, h, w]"""
    g_p: torch.Tensor | None
    y: torch.Tensor
    """[G*K, C, h, w]"""
    z0: torch.Tensor
    t: torch.Tensor
    """[G*K]"""
    order: torch.Tensor | None = None
    """Numbers [G*K, M] of the targets' tokens that are computed, in this order; all of them, as they lie, without."""
    matches: Matches | None = None
    """Where attention should look from the first of these, if it is told."""


@dataclass
class EmptyRows:
    """Rows of the empty branch: targets alone, [U, C, h, w]."""

    y: torch.Tensor
    z0: torch.Tensor
    t: torch.Tensor


@dataclass(frozen=True)
class GroupNumbers:
    """Which pictures and variants make a batch; all groups, on every process alike."""

    source: torch.Tensor
    """[G]"""
    second: torch.Tensor | None
    """[G], another picture of the same person, where there are two sources."""
    target: torch.Tensor
    """[G, K]"""
    variant: torch.Tensor
    """[G]"""
    pose_variant: torch.Tensor
    """[G, K]"""


class Batches:
    """Draws batches from a `LatentStore`; `telling` is (the grid of tokens, how many of them are computed,
    `CorrespondenceOptions`, or None) where attention is to be told where to look, or not all tokens are computed."""

    def __init__(self, store, groups, targets, empty, processes, telling=None, kept=None):
        """`kept` [n] says which pictures may be drawn; all of them without. Pictures that pairs join are kept
        together or not at all."""
        self.store, self.processes = store, processes
        self.groups, self.targets, self.empty, self.telling = groups, targets, empty, telling
        self.candidates, self.allowed = store.sources(), None
        if kept is not None:
            self.allowed = torch.nonzero(torch.as_tensor(kept, device=store.device))[:, 0]
            self.candidates = self.candidates[torch.isin(self.candidates, self.allowed)]

    def numbers(self, random, two_sources=False):
        """Draws groups: targets of one source are different pictures as long as there are enough."""
        store, shape, device = self.store, self.store.shape, self.store.device
        g, k = self.groups, self.targets
        pick = torch.randint(len(self.candidates), (g,), generator=random, device=device)
        source = self.candidates[pick]
        start = store.offsets[source]
        count = store.offsets[source + 1] - start
        first = (torch.rand(g, generator=random, device=device) * count).long()
        around = (first[:, None] + torch.arange(max(k, 2), device=device)) % count[:, None]
        people = store.neighbours[start[:, None] + around]
        variant = torch.randint(shape.turns * shape.colours, (g,), generator=random, device=device)
        jitters = torch.randint(shape.jitters, (g, k), generator=random, device=device)
        pose_variant = (variant // shape.colours)[:, None] * shape.jitters + jitters
        if not two_sources:
            return GroupNumbers(source, None, people[:, :k], variant, pose_variant)
        kept = max(1, k - 1)
        return GroupNumbers(source, people[:, -1], people[:, :kept], variant, pose_variant[:, :kept])

    def conditional(self, random, two_sources=False, times=training_times):
        """This process's rows with conditions."""
        numbers = self.numbers(random, two_sources)
        g, k = numbers.target.shape
        t = times(g * k, random)
        z0 = torch.randn(g * k, *self.store.shape.latent, generator=random, device=self.store.device)
        mine = self.processes.share(g)
        rows = slice(mine.start * k, mine.stop * k)
        target = numbers.target[mine].flatten()
        y = self.store.gather("latents", target, numbers.variant[mine].repeat_interleave(k))
        return self.conditions(numbers, mine, y, z0[rows], t[rows])

    def conditions(self, numbers, mine, y, z0, t):
        """Rows of given targets, with the sources and poses that belong to them."""
        store = self.store
        source, variant = numbers.source[mine], numbers.variant[mine]
        if numbers.second is not None:
            source = torch.stack([source, numbers.second[mine]], dim=1)
            variant = variant[:, None].expand(-1, 2)
        target, pose_variant = numbers.target[mine].flatten(), numbers.pose_variant[mine].flatten()
        beside, pose_beside = self.beside()
        return ConditionalRows(
            store.gather("latents", source, variant), self.maybe(beside, source, variant),
            store.gather("pose_latents", target, pose_variant), self.maybe(pose_beside, target, pose_variant),
            y, z0, t, *self.places(numbers, mine))

    def places(self, numbers, mine):
        """The order of tokens, and where attention should look, if it is told."""
        if self.telling is None:
            return None, None
        grid, computed, options = self.telling
        source = numbers.source[mine][:, None]
        if numbers.second is not None:
            source = torch.cat([source, numbers.second[mine][:, None]], dim=1)
        turned = numbers.variant[mine][:, None] >= self.store.shape.colours
        sources = self.store.surfaces(source, turned.expand_as(source))
        targets = self.store.surfaces(numbers.target[mine], turned.expand_as(numbers.target[mine])).flatten(0, 1)
        order = ranked(sources, targets, grid)[:, :computed]
        if options is None:
            return order, None
        return order, matches(sources, targets, grid, order[:, :options.tokens], options)

    def beside(self):
        """Names of the arrays that the encoders' features come from."""
        if self.store.shape.thumbnail:
            return "thumbnails", "pose_thumbnails"
        if self.store.shape.source_features:
            return "features", "pose_features"
        return None, None

    def maybe(self, name, pictures, variants):
        """Entries of an array, or None where there is no such array."""
        return None if name is None else self.store.gather(name, pictures, variants)

    def without(self, random):
        """This process's rows without conditions."""
        shape, device = self.store.shape, self.store.device
        u = self.empty
        count = shape.pictures if self.allowed is None else len(self.allowed)
        picture = torch.randint(count, (u,), generator=random, device=device)
        if self.allowed is not None:
            picture = self.allowed[picture]
        variant = torch.randint(shape.turns * shape.colours, (u,), generator=random, device=device)
        t = training_times(u, random)
        z0 = torch.randn(u, *shape.latent, generator=random, device=device)
        mine = self.processes.share(u)
        return EmptyRows(self.store.gather("latents", picture[mine], variant[mine]), z0[mine], t[mine])
