"""Cameras from the whole body to the bust."""

from dataclasses import dataclass

import numpy as np

from .rotations import Y, cross, unit

SHOTS = ("full", "knee", "half", "bust")
SHOT_SHARES = (.58, .15, .19, .08)
NEAR, FAR = .3, 20.


@dataclass
class Camera:
    """`to_clip` (4, 4): world to clip space; `eye` (3,) in the world; `shot`: number in SHOTS."""

    to_clip: np.ndarray
    eye: np.ndarray
    shot: int

    def to_pixels(self, size):
        """(3, 4): p = matrix · (x, y, z, 1); the pixel is p[:2] / p[2], p[2] the distance along the view."""
        x, y, _, w = self.to_clip
        return np.stack([(x + w) * size / 2, (w - y) * size / 2, w])

    def project(self, points, size):
        """Pixels (n, 2) and distances (n,) of world points."""
        p = np.concatenate([points, np.ones((len(points), 1))], 1) @ self.to_pixels(size).T
        return p[:, :2] / p[:, 2:], p[:, 2]


def distance_of_depth(depth):
    """Depth buffer values (0 … 1) as distances along the view."""
    return 2 * NEAR * FAR / (FAR + NEAR - (depth * 2 - 1) * (FAR - NEAR))


def look(eye, at, focal, shift=(0, 0)):
    """The (4, 4) matrix of a camera at `eye`; `focal` in half pictures, `shift` of the centre likewise."""
    forward = unit(at - eye)
    right = unit(cross(forward, Y))
    view = np.eye(4)
    view[:3, :3] = right, cross(right, forward), -forward
    view[:3, 3] = -view[:3, :3] @ eye
    lens = np.array([[focal, 0, -shift[0], 0], [0, focal, -shift[1], 0],
                     [0, 0, -(FAR + NEAR) / (FAR - NEAR), -2 * FAR * NEAR / (FAR - NEAR)], [0, 0, -1, 0]])
    return lens @ view


def sample_camera(rng, found, shot=None):
    """A camera that takes in as much of a posed body (`Found`) as its shot says."""
    uniform = rng.uniform
    if shot is None:
        shot = int(rng.choice(4, p=SHOT_SHARES))
    body, tips = found.body, found.hands[:, 12]
    every = np.concatenate([body, found.crown[None], tips, found.feet])
    hip = (body[8, 1] + body[11, 1]) / 2
    lowest = (every[:, 1].min() - .03, min(body[9, 1], body[12, 1]) - uniform(0, .12), hip - uniform(-.05, .12),
              hip + uniform(.08, .22))[shot]
    highest = found.crown[1] if shot == 3 else max(found.crown[1], every[:, 1].max())
    highest += uniform(.02, .10)
    height, centre = highest - lowest, (highest + lowest) / 2
    # closer shots follow the head and shoulders, wider ones everything
    middle = np.median(every[:, 0]) if shot < 2 else .5 * body[1, 0] + .5 * np.median(body[:, 0])
    distance = uniform(3.2, 6) * max(.55, height / 1.8)
    eye = np.array([middle + uniform(-.2, .2), centre + np.tan(np.radians(uniform(-4, 8))) * distance, distance])
    eye[1] = max(eye[1], .15)
    focal = 2 * distance / height * uniform(.80, .97)
    width = 2 * np.abs(every[:, 0] - middle).max() + .16
    if shot == 0:
        focal = min(focal, 2 * distance / width * .98)
    shift = uniform(-.06, .06), uniform(-.015, .015)
    return Camera(look(eye, np.array([middle, centre, 0]), focal, shift), eye, shot)


def fixed_camera(rng, found):
    """A camera that stays while a person (`Found`, at rest) signs: from above the head to between knees and waist."""
    uniform = rng.uniform
    body = found.body
    hip, knee = (body[a, 1] / 2 + body[b, 1] / 2 for a, b in ((8, 11), (9, 12)))
    lowest, highest = uniform(knee - .05, hip + .12), found.crown[1] + uniform(.06, .30)
    height, centre = highest - lowest, (highest + lowest) / 2
    middle = body[1, 0] + normal_within(rng, .05, .12)
    distance = uniform(2.2, 5)
    eye = np.array([middle + uniform(-.25, .25), centre + uniform(-.25, .35), distance])
    shift = uniform(-.05, .05), 0.
    return Camera(look(eye, np.array([middle, centre, 0]), 2 * distance / height, shift), eye, SHOTS.index("half"))


def normal_within(rng, deviation, most):
    """A normal number about 0, not farther away than `most`."""
    return float(np.clip(rng.normal(0, deviation), -most, most))
