"""What may be done to pictures of training without making them untrue.

Both pictures of a pair are changed alike: turned left to right (the joints change their names), and moved
in colour by one matrix and one offset. Poses are jittered as a detector would.
"""

import math

import torch

from posed_recipe.pose import BODY, present


def colour_shifts(count, generator):
    """Random colour changes as (matrices [count, 3, 3], offsets [count, 3, 1]); the first changes nothing.

    Hue by up to 30 degrees about the grey axis, saturation by up to 30 %, each channel by up to 8 %,
    brightness by up to 0.06.
    """
    device = generator.device
    u = torch.rand(count, 6, generator=generator, device=device) * 2 - 1
    u[0] = 0
    angle, saturation = u[:, 0] * math.pi / 6, 1 + 0.3 * u[:, 1]
    eye, grey = torch.eye(3, device=device), torch.full((3, 3), 1 / 3, device=device)
    turn = (eye.roll(-1, 0) - eye.roll(1, 0)).mT / 3**0.5
    plane = (eye - grey)[None] * angle.cos()[:, None, None] + turn[None] * angle.sin()[:, None, None]
    matrices = grey[None] + saturation[:, None, None] * plane
    matrices = matrices * (1 + 0.08 * u[:, 2:5])[:, :, None]
    return matrices, 0.06 * u[:, 5, None, None].expand(-1, 3, 1)


def shift_colours(pictures, matrix, offset):
    """uint8 [B, 3, H, W] under one change each ([B, 3, 3], [B, 3, 1]) or one for all."""
    flat = pictures.float().flatten(2) / 255
    changed = (matrix @ flat + offset).clamp(0, 1)
    return (changed * 255).round().to(torch.uint8).reshape(pictures.shape)


def jitter(keypoints, generator, pixels=1.0, missing=0.04, fine=0.4):
    """Points [B, 18 or 130, 3] as a detector would find them: moved by some pixels, those of hands and faces by the part
    `fine` of it, now and then one lost."""
    noise = torch.randn(keypoints.shape[:2] + (2,), generator=generator, device=keypoints.device)
    noise[:, BODY:] *= fine
    lost = torch.rand(keypoints.shape[:2], generator=generator, device=keypoints.device) < missing
    there = present(keypoints) & ~lost
    moved = keypoints.clone()
    moved[..., :2] = torch.where(there[..., None], keypoints[..., :2] + pixels * noise, -1.0)
    moved[..., 2] = keypoints[..., 2] * there
    return moved
