"""The picture of a pose, for many poses at once and on any device.

On black, a limb is a capsule of radius r = 4 * H / 256 around its segment at 0.6 of its colour; then each
joint is a disc of radius r at full colour. A pixel is covered by clamp(r + 0.5 - d, 0, 1), d the distance
of its centre; shapes are blended one over the other in floats and rounded once at the end.
"""

import torch

from posed_recipe.pose.skeleton import COLOURS, LIMBS, present

LIMB_SHADE = 0.6


def draw_poses(keypoints, height, width):
    """Keypoints [B, 18, 3] in pixels of height x width -> uint8 [B, 3, height, width]."""
    keypoints = keypoints.float()
    there = present(keypoints)
    points = keypoints[..., :2]
    radius = 4.0 * height / 256
    y = torch.arange(height, device=keypoints.device)[:, None] + 0.5
    x = torch.arange(width, device=keypoints.device)[None, :] + 0.5
    picture = torch.zeros(len(keypoints), 3, height, width, device=keypoints.device)
    for limb, (one, two) in enumerate(LIMBS):
        distance = distance_to_segment(x, y, points[:, one - 1], points[:, two - 1])
        visible = there[:, one - 1] & there[:, two - 1]
        blend(picture, radius - distance, visible, [LIMB_SHADE * value for value in COLOURS[limb]])
    for joint in range(points.shape[1]):
        distance = distance_to_point(x, y, points[:, joint])
        blend(picture, radius - distance, there[:, joint], COLOURS[joint])
    return picture.round_().clamp_(0, 255).to(torch.uint8)


def distance_to_point(x, y, point):
    """Distances [B, H, W] of the pixels' centres from points [B, 2]."""
    px, py = point[:, 0, None, None], point[:, 1, None, None]
    return ((x - px).square() + (y - py).square()).sqrt_()


def distance_to_segment(x, y, start, end):
    """Distances [B, H, W] of the pixels' centres from segments between points [B, 2]."""
    ax, ay = start[:, 0, None, None], start[:, 1, None, None]
    dx, dy = (end - start)[:, 0, None, None], (end - start)[:, 1, None, None]
    length = (dx * dx + dy * dy).clamp_min(1e-12)
    along = ((x - ax) * (dx / length) + (y - ay) * (dy / length)).clamp_(0, 1)
    across = (x - ax - along * dx).square_().add_((y - ay - along * dy).square_())
    return across.sqrt_()


def blend(picture, inside, visible, colour):
    """Lays a colour over the pictures where a shape covers them; `inside` is radius - distance."""
    coverage = (inside + 0.5).clamp_(0, 1) * visible[:, None, None]  # [B, H, W]
    remains = 1 - coverage
    for channel, value in enumerate(colour):
        plane = picture[:, channel].mul_(remains)
        if value:
            plane.add_(coverage, alpha=value)
