"""Teaching attention where in the source the places of the target are.

A reference stream is worth what attention finds in it, and the velocity's loss is slow to teach that: for a long time
a garment's mean colour is the better answer than a stripe from the wrong place. Whoever renders people knows which
place on the person is seen where, so attention can be told: in some blocks, the head that is nearest to it already
learns to look, from each token of the target, at the tokens of the source that show the same places.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from posed_recipe.people import parts
from posed_recipe.training.distributed import over_processes

FAR = 1e3
"""Decimetres to a cell that shows no person."""


@dataclass
class CorrespondenceOptions:
    """How attention is told, on latents that come with places."""

    weight: float = 0.0
    """Weight of the cross-entropy, in nats, beside the other losses, such as 0.05; 0 leaves it out."""
    first: float = 0.5
    """Where the blocks that are told begin, as a part of the depth; the last block is never told."""
    tokens: int = 64
    """At most so many tokens of each target are told, those first that show most of the person."""
    near: float = 0.5
    """Decimetres: the deviation of the normal distribution about a place."""
    reach: float = 1.2
    """Decimetres: a place whose nearest in the source is farther off than this counts as hidden there."""


@dataclass
class Matches:
    """Where the places of some tokens of B targets are among the R tokens of their sources."""

    shares: torch.Tensor
    """[B, M, R], which sum to one where the place is seen"""
    seen: torch.Tensor
    """[B, M], the part of a token's cells that the source shows"""
    options: CorrespondenceOptions


def ranked(sources, targets, grid):
    """Numbers [G*K, N] of the targets' tokens: those that show most of the person first, then those about it or about
    where a source stood. Targets [G*K, c, c, 4] and sources [G, S, c, c, 4] are as `LatentStore.surfaces` gives them;
    `grid` is (rows, columns) of tokens."""
    covered, source = (
        parts.person(cells_of(maps, grid)[..., 3]).float().mean(-1) for maps in (targets, sources.flatten(0, 1)))
    source = source.reshape(len(sources), sources.shape[1], -1).amax(1).repeat_interleave(len(targets) // len(sources), 0)
    near = (covered + source).clamp(max=1).reshape(-1, 1, *grid)
    near = F.max_pool2d(near, 3, 1, 1).flatten(1) > 0
    spread = (torch.arange(covered.shape[1], device=covered.device) * 0.618034) % 1.0  # of equals, some from everywhere
    return (4 * covered + 0.6 * near + 0.3 * spread).argsort(dim=1, descending=True)


def cells_of(maps, grid):
    """Maps [B, c, c, 4] as cells of tokens [B, N, cells, 4]."""
    (b, side), (rows, columns) = maps.shape[:2], grid
    down, across = side // rows, side // columns
    return maps.reshape(b, rows, down, columns, across, 4).transpose(2, 3).reshape(b, rows * columns, down * across, 4)


def matches(sources, targets, grid, tokens, options):
    """`Matches` of tokens, numbers [G*K, M], of targets [G*K, c, c, 4], K to each of the sources [G, S, c, c, 4]."""
    groups, several, side = sources.shape[:3]
    rows, columns = grid
    down, across = side // rows, side // columns
    places, person = places_of(sources.flatten(1, 3))  # [G, S*c*c, 3], [G, S*c*c]
    here, is_person = places_of(cells_of(targets, grid))
    here = here.gather(1, tokens[..., None, None].expand(-1, -1, *here.shape[2:]))  # [B, M, cells, 3]
    is_person = is_person.gather(1, tokens[..., None].expand(-1, -1, is_person.shape[2]))
    apart = torch.cdist(here.reshape(groups, -1, 3), places).masked_fill(~person[:, None], FAR)  # [G, K*M*cells, S*c*c]
    seen = (apart.amin(-1) < options.reach) & is_person.reshape(groups, -1)
    shares = torch.softmax(apart.square() / (-2 * options.near**2), dim=-1) * seen[..., None]
    shares = shares.reshape(len(targets), tokens.shape[1], down * across, several, rows, down, columns, across)
    shares = shares.sum(dim=(2, 5, 7)).flatten(2)  # [B, M, S*N]
    seen = seen.reshape(len(targets), tokens.shape[1], -1).float().mean(-1)
    return Matches(shares / shares.sum(-1, keepdim=True).clamp_min(1e-6), seen, options)


def places_of(cells):
    """Decimetres [..., 3] and whether a person is there [...], of bytes [..., 4]."""
    return cells[..., :3].float() * parts.PLACE_STEP + parts.PLACE_ORIGIN, parts.person(cells[..., 3])


def attention_error(queries, cached, found):
    """The mean cross-entropy, in nats, of the told blocks' best heads against `Matches`: a number.

    `queries` [B, heads, M or more, D/heads], of the told tokens first, and `cached` (keys [G, heads, R, D/heads] and
    values) of each block.
    """
    depth = len(queries)
    blocks = range(max(0, min(round(found.options.first * depth), depth - 2)), max(1, depth - 1))
    return torch.stack([best_head(queries[i], cached[i][0], found) for i in blocks]).mean()


def best_head(q, k, found):
    """The mean over the rows of their tokens' mean cross-entropy, in the head in which it is smallest: the same head on
    every process."""
    groups, width = len(k), q.shape[-1]
    q = q[:, :, :found.seen.shape[1]]  # [B, heads, M, D/heads]
    q = q.reshape(groups, -1, *q.shape[1:]).transpose(1, 2).flatten(2, 3)  # [G, heads, K*M, D/heads]
    told = ((q * width**-0.5) @ k.mT).float().log_softmax(-1)  # [G, heads, K*M, R]
    shares = found.shares.reshape(groups, 1, -1, told.shape[-1])
    weights = found.seen / found.seen.sum(1, keepdim=True).clamp_min(1e-6) / len(found.seen)
    errors = -((told * shares).sum(-1) * weights.reshape(groups, 1, -1)).sum(dim=(0, 2))  # [heads]
    return errors.gather(0, over_processes(errors.detach()).argmin(0, keepdim=True))[0]
