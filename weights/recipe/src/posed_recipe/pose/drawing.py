"""The picture of a pose, for many poses at once and on any device.

On black, a limb is a capsule of radius r = 4 * H / 256 around its segment at 0.6 of its colour; then each
joint is a disc of radius r at full colour. Hands and the face, where they are given, follow: bones as capsules of
1.5 * H / 256 at 0.8 of their finger's colour and joints as discs, left hand, then right; the face's points as white
discs of 1 * H / 256. A pixel is covered by clamp(r + 0.5 - d, 0, 1), d the distance of its centre; shapes are blended
one over the other in floats and rounded once at the end.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from posed_recipe.errors import RecipeError
from posed_recipe.pose.skeleton import BODY, BONES, COLOURS, FACE, FINGERS, HAND, LIMBS, POINTS, present
from posed_recipe.weights import write_json

LIMB_SHADE, BONE_SHADE = 0.6, 0.8
WHITE = (255, 255, 255)


@dataclass
class PoseDrawer:
    """How a model wants poses drawn: `pose_drawer/config.json`. What it does not draw, the model does not see."""

    hands: bool = False
    face: bool = False

    @classmethod
    def from_pretrained(cls, folder):
        """The part in a folder; where there is none, a drawer of bodies alone."""
        file = Path(folder) / "config.json"
        if not file.exists():
            return cls()
        values = json.loads(file.read_text())
        if values.get("body", "capsules") != "capsules":
            raise RecipeError(f'{file}: "body" must be "capsules", but it is {json.dumps(values["body"])}')
        return cls(bool(values.get("hands")), bool(values.get("face")))

    def save_pretrained(self, folder):
        """Writes `config.json`."""
        write_json(Path(folder) / "config.json", {"_class_name": "PoseDrawer", "body": "capsules", **asdict(self)})

    def __call__(self, points, height, width):
        """Points [B, 18 or 130, 3] in pixels -> uint8 [B, 3, height, width]."""
        hands = face = None
        if points.shape[1] == POINTS:
            hands = points[:, BODY:POINTS - FACE].reshape(-1, 2, HAND, 3) if self.hands else None
            face = points[:, -FACE:] if self.face else None
        return draw_poses(points[:, :BODY], height, width, hands, face)


def draw_poses(keypoints, height, width, hands=None, face=None):
    """Keypoints [B, 18, 3] in pixels of height x width -> uint8 [B, 3, height, width].

    `hands` [B, 2, 21, 3], left then right, and `face` [B, 70, 3] are drawn where they are given.
    """
    keypoints = keypoints.float()
    y = torch.arange(height, device=keypoints.device)[:, None] + 0.5
    x = torch.arange(width, device=keypoints.device)[None, :] + 0.5
    picture = torch.zeros(len(keypoints), 3, height, width, device=keypoints.device)

    def draw(points, lines, line_colours, colours, shade, size):
        """Capsules between pairs of points counted from 0, then the points."""
        there, places, radius = present(points), points[..., :2], size * height / 256
        for (one, two), colour in zip(lines, line_colours, strict=True):
            distance = distance_to_segment(x, y, places[:, one], places[:, two])
            shaded = [shade * value for value in colour]
            blend(picture, radius - distance, there[:, one] & there[:, two], shaded)
        for joint, colour in enumerate(colours):
            distance = distance_to_point(x, y, places[:, joint])
            blend(picture, radius - distance, there[:, joint], colour)

    limbs = [(one - 1, two - 1) for one, two in LIMBS]
    draw(keypoints, limbs, COLOURS[: len(limbs)], COLOURS, LIMB_SHADE, 4.0)
    if hands is not None:
        for side, fingers in enumerate(FINGERS):
            bones = [fingers[bone // 4] for bone in range(len(BONES))]
            draw(hands[:, side].float(), BONES, bones, [fingers[0], *bones], BONE_SHADE, 1.5)
    if face is not None:
        draw(face.float(), [], [], [WHITE] * face.shape[1], 1.0, 1.0)
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
