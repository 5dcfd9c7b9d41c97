"""Muon (Jordan et al. 2024) for the matrices inside a network, AdamW for all the rest.

A matrix is moved along its momentum with all singular values brought near 1, so that every direction that it
can learn in is learnt at the same pace. Where steps are few, as on a CPU, this takes about half of AdamW's.
"""

from itertools import groupby

import torch
from torch import nn

# Quintic whose repeated use drives singular values in (0, 1] to about 1: a x + b x^3 + c x^5.
QUINTIC = (3.4445, -4.7750, 2.0315)
ROUNDS = 5

# Layers at the ends of a network, whose inputs or outputs are numbers with a meaning of their own.
ENDS = ("x_embedder", "ref_embedder", "final_layer.linear", "conv_in", "conv_out", "quant_conv",
        "post_quant_conv", "projection", "thumbnail")


def hidden_weights(module):
    """Weights of the linear layers and convolutions that lie inside the network, but those that are computed from
    other parameters, as a spectral norm does."""
    return [
        layer.weight for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d) and layer.weight.is_leaf and layer.weight.requires_grad
        and not name.endswith(ENDS) and min(layer.weight.flatten(1).shape) > 1]


def orthogonal(matrices):
    """Float matrices [B, m, n] with their singular values brought near 1, by Newton and Schulz's iteration."""
    a, b, c = QUINTIC
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = (x / (matrices.flatten(1).norm(dim=1)[:, None, None] + 1e-7)).bfloat16()
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    # Rows after one another, as weights have them: lists of tensors in other orders are not done at once.
    return (x.mT if tall else x).to(torch.float32, memory_format=torch.contiguous_format)


class Muon(torch.optim.Optimizer):
    """Momentum (Nesterov's), made orthogonal; its size is that of an AdamW step of the same learning rate
    (Liu et al. 2025, "Muon is scalable for LLM training"), so that both share rate and decay."""

    def __init__(self, weights, lr, momentum=0.95, weight_decay=0.0):
        super().__init__(weights, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        """Moves all weights that have a gradient: those of one shape are made orthogonal at once, and all else is done
        to lists of tensors, for on a GPU a step is mostly the time in which the host starts its kernels."""
        for group in self.param_groups:
            weights = [p for p in group["params"] if p.grad is not None]
            if not weights:
                continue
            gradients = [in_order(weight.grad, weight).flatten(1) for weight in weights]
            buffers = [in_order(self.momentum(weight), weight).view(len(weight), -1) for weight in weights]
            matrices = [in_order(weight, weight).view(len(weight), -1) for weight in weights]
            torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
            moves = self.moves(torch._foreach_lerp(gradients, buffers, group["momentum"]))
            torch._foreach_mul_(matrices, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_sub_(matrices, moves, alpha=group["lr"])

    def momentum(self, weight):
        """The average of a weight's gradients so far."""
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        return state["momentum"]

    def moves(self, directions):
        """Where matrices go that have these directions."""
        found = [None] * len(directions)
        numbers = sorted(range(len(directions)), key=lambda i: directions[i].shape)
        for shape, alike in groupby(numbers, lambda i: directions[i].shape):
            alike = list(alike)
            made = orthogonal(torch.stack([directions[i] for i in alike])) * (0.2 * max(shape) ** 0.5)
            for i, move in zip(alike, made, strict=True):
                found[i] = move
        return found


def in_order(tensor, weight):
    """What has the shape of a weight, its axes as the weight has them in memory: then it is a matrix, whose rows are
    filters, without a copy. The order of the columns does not matter to what is made orthogonal."""
    return tensor if weight.is_contiguous() else tensor.permute(0, 2, 3, 1)


class Both:
    """Two optimizers that work as one."""

    def __init__(self, *optimizers):
        self.optimizers = optimizers

    @property
    def param_groups(self):
        """The groups of both."""
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def zero_grad(self, set_to_none=True):
        """Forgets all gradients."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none)

    def step(self):
        """One step of each."""
        for optimizer in self.optimizers:
            optimizer.step()

    def state_dict(self):
        """For a checkpoint."""
        return [optimizer.state_dict() for optimizer in self.optimizers]

    def load_state_dict(self, states):
        """From a checkpoint."""
        for optimizer, state in zip(self.optimizers, states, strict=True):
            optimizer.load_state_dict(state)
