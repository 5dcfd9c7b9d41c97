"""The conditional optimal transport path, and the times at which it is learnt."""

import math

import torch

SIGMA_MIN = 1e-4


def point(z0, y, t):
    """z_t = (1 - (1 - sigma_min) t) z0 + t y, for latents [B, C, h, w] and times [B]."""
    t = t[:, None, None, None]
    return (1 - (1 - SIGMA_MIN) * t) * z0 + t * y


def velocity(z0, y):
    """The target: y - (1 - sigma_min) z0."""
    return y - (1 - SIGMA_MIN) * z0


def strata(count, random):
    """`count` uniform numbers, one in each of as many equal parts of [0, 1], in random order.

    A batch then always covers all times evenly, which takes away much of the loss's noise.
    """
    device = random.device
    u = (torch.arange(count, device=device) + torch.rand(count, generator=random, device=device)) / count
    return u[torch.randperm(count, generator=random, device=device)].clamp(1e-6, 1 - 1e-6)


def training_times(count, random, location=-0.3, scale=1.0, uniform=0.25):
    """Logit-normal times (Esser et al. 2024), with a part that is uniform.

    The middle is where the velocity is hardest, and the logit-normal looks there most often; but it never
    looks at t = 0, where a sampler of four steps makes its first and largest one, so a part of the times is
    uniform. The location leans to noise: with the source given, what is decided there decides the picture.
    """
    u = strata(count, random)
    rest = ((u - uniform) / (1 - uniform)).clamp(1e-6, 1 - 1e-6)
    normal = location + scale * math.sqrt(2) * torch.erfinv(2 * rest - 1)
    return torch.where(u < uniform, u / max(uniform, 1e-6), torch.sigmoid(normal)).float()


def ends_times(count, random, sharpness=4.0):
    """Times that favour both ends, density proportional to cosh(a (2 t - 1)).

    Rectified paths are hardest where they leave the noise and where they reach the picture
    (Lee et al. 2024, "Improving the training of rectified flows").
    """
    u = strata(count, random)
    return (0.5 + torch.asinh((2 * u - 1) * math.sinh(sharpness)) / (2 * sharpness)).clamp(0, 1).float()
