"""Light and background, the same in all pictures of an identity."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, zoom

from .colors import hsv
from .rotations import unit

KINDS = {"studio": .30, "gradient": .18, "room": .22, "outdoors": .14, "texture": .10, "shapes": .06}


@dataclass
class Light:
    """`direction` to the light; linear colours of it, of the sky and of the floor; strengths of shadows."""

    direction: np.ndarray
    color: np.ndarray
    sky: np.ndarray
    floor: np.ndarray
    shadow: float
    floor_shadow: float


@dataclass
class Scene:
    """What an identity is photographed in. `background`: uint8 (n, n, 3)."""

    light: Light
    background: np.ndarray


def sample_scene(rng, size):
    """A light and a background."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    image = globals()[f"_{kind}"](rng, size)
    if kind not in ("studio", "gradient"):
        image = _softened(image, rng.uniform(.002, .022) * size)
    image = image + rng.normal(0, rng.uniform(0, .006), image.shape[:2])[..., None]
    return Scene(_light(rng), (np.clip(image, 0, 1) * 255 + .5).astype(np.uint8))


def _light(rng):
    uniform = rng.uniform
    side, height = np.radians(uniform(-75, 75)), np.radians(uniform(12, 65))
    direction = unit(np.array([np.sin(side) * np.cos(height), np.sin(height), np.cos(side) * np.cos(height)]))
    ambient, tint = uniform(.4, .8), np.array([1, 1, uniform(.95, 1.07)])
    return Light(direction, uniform(.35, 1.0) * np.array([1, uniform(.92, 1), uniform(.80, 1.03)]), ambient * tint,
                 ambient * uniform(.6, .85) * np.array([1, .97, .94]), uniform(.35, .95),
                 uniform(0, 1) if rng.random() < .7 else 0.)


def _axes(size):
    line = (np.arange(size) + .5) / size
    return line[:, None, None], line[None, :, None]


def _softened(image, sigma):
    for axis in (0, 1):
        image = gaussian_filter1d(image, sigma, axis=axis, mode="nearest", truncate=3)
    return image


def _clouds(rng, size, cells=4, octaves=4, roughness=.55):
    """Smooth noise (size, size, 1) about 0."""
    total = np.zeros((size, size))
    for octave in range(octaves):
        n = cells * 2 ** octave
        grid = rng.normal(0, roughness ** octave, (n + 3, n + 3))
        total += zoom(grid, size / n, order=1)[:size, :size]
    return total[..., None] * .5


def _muted(rng, low=.3, high=.95):
    return hsv(rng.random(), rng.uniform(.02, .4), rng.uniform(low, high))


def _studio(rng, size):
    y, x = _axes(size)
    grey = rng.uniform(.72, 1) if rng.random() < .75 else rng.uniform(.1, .7)
    color = np.full(3, grey) + rng.normal(0, .012, 3)
    shade = 1 + rng.uniform(-.12, .1) * (y - .5) - rng.uniform(0, .25) * ((x - .5) ** 2 + (y - .5) ** 2)
    image = color * shade
    if rng.random() < .35:  # where the wall meets the floor
        line, soft = rng.uniform(.7, .92), rng.uniform(.01, .06)
        floor = 1 / (1 + np.exp(-(y - line) / soft))
        image = image * (1 - floor * rng.uniform(-.05, .15))
    return image


def _gradient(rng, size):
    y, x = _axes(size)
    first = hsv(rng.random(), rng.uniform(.03, .6), rng.uniform(.25, .97))
    second = np.clip(first * rng.uniform(.6, 1.25), 0, 1) if rng.random() < .7 else _muted(rng)
    if rng.random() < .4:
        share = np.sqrt((x - rng.uniform(.3, .7)) ** 2 + (y - rng.uniform(.2, .7)) ** 2) * 1.4
    else:
        angle = rng.uniform(0, 2 * np.pi)
        share = .5 + (x - .5) * np.cos(angle) + (y - .5) * np.sin(angle)
    share = np.clip(share, 0, 1)
    return first * (1 - share) + second * share


def _box(image, rng, left, top, right, bottom, color, share=1.0):
    size = len(image)
    rows = slice(max(0, int(top * size)), int(bottom * size))
    columns = slice(max(0, int(left * size)), int(right * size))
    patch = image[rows, columns]
    image[rows, columns] = patch * (1 - share) + share * np.asarray(color) * rng.uniform(.95, 1.05)


def _room(rng, size):
    y, x = _axes(size)
    wall, floor = _muted(rng, .45), hsv(rng.uniform(.04, .14), rng.uniform(.1, .6), rng.uniform(.25, .8))
    line = rng.uniform(.66, .9)
    image = np.where(y < line, wall * (1.04 - .12 * np.abs(x - rng.uniform(.2, .8))), floor * (.8 + .35 * y)) + 0. * x
    if rng.random() < .4:
        boards = .93 + .14 * (np.floor((x - .5) / (y - line + .25) * 6 + y * 0) % 2)
        image = np.where(y >= line, image * boards, image)
    if rng.random() < .3:
        image = np.where(y < line, image * (1 - .06 * (np.floor(x * rng.integers(8, 30)) % 2)), image)
    for _ in range(rng.integers(0, 4)):  # pictures, shelves
        left, top = rng.uniform(-.1, .9), rng.uniform(0, .45)
        w, h = rng.uniform(.08, .3), rng.uniform(.08, .3)
        _box(image, rng, left - .012, top - .012, left + w + .012, top + h + .012, _muted(rng, .1))
        _box(image, rng, left, top, left + w, top + h, hsv(rng.random(), rng.uniform(0, .8), rng.uniform(.2, .95)))
    if rng.random() < .4:  # a window
        left, top = rng.uniform(-.1, .8), rng.uniform(-.05, .2)
        w, h = rng.uniform(.2, .4), rng.uniform(.3, .5)
        _box(image, rng, left - .015, top - .015, left + w + .015, top + h + .015, (.92, .91, .9))
        _box(image, rng, left, top, left + w, top + h, hsv(.57, rng.uniform(.05, .4), .95))
        _box(image, rng, left + w / 2 - .007, top, left + w / 2 + .007, top + h, (.92, .91, .9))
    for _ in range(rng.integers(0, 3)):  # furniture
        left, w, h = rng.uniform(-.2, .95), rng.uniform(.12, .4), rng.uniform(.08, .4)
        _box(image, rng, left, line + .06 - h, left + w, line + .06, _muted(rng, .12))
    _box(image, rng, 0, line - .018, 1, line, _muted(rng, .5), rng.uniform(0, 1))
    return image


def _outdoors(rng, size):
    y, x = _axes(size)
    horizon = rng.uniform(.35, .7)
    sky = hsv(rng.uniform(.52, .62), rng.uniform(.02, .5), rng.uniform(.7, 1))
    ground = hsv(rng.choice([.08, .12, .28, .6]) + rng.normal(0, .02), rng.uniform(.05, .5), rng.uniform(.3, .75))
    far = hsv(rng.choice([.3, .25, .08, .6]) + rng.normal(0, .03), rng.uniform(.1, .55), rng.uniform(.2, .6))
    ridge = horizon - .18 * np.abs(_clouds(rng, size, 3, 3)[:1]) - rng.uniform(0, .2)
    above = sky * (1 - .15 * y) + .05 * _clouds(rng, size)
    image = np.where(y < ridge, above, far * (1 + .5 * _clouds(rng, size, 12, 3)))
    if rng.random() < .5:
        for _ in range(rng.integers(2, 7)):  # houses
            left, w, h = rng.uniform(-.1, .95), rng.uniform(.1, .35), rng.uniform(.15, .6)
            _box(image, rng, left, horizon - h, left + w, horizon, _muted(rng, .25), .9)
    return np.where(y < horizon, image, ground * (.75 + .4 * y) * (1 + .25 * _clouds(rng, size, 16, 3)))


def _texture(rng, size):
    y, x = _axes(size)
    base = _muted(rng, .25)
    if rng.random() < .4:  # bricks or tiles
        rows, columns = rng.integers(8, 26), rng.integers(4, 14)
        shift = .5 * (np.floor(y * rows) % 2) * (rng.random() < .6)
        edge = np.minimum(np.abs((y * rows) % 1 - .5), np.abs((x * columns + shift) % 1 - .5) * 1.0)
        joint = np.maximum(np.abs((y * rows) % 1 - .5), np.abs((x * columns + shift) % 1 - .5)) > .45
        return np.where(joint, _muted(rng), base * (1 + .15 * _clouds(rng, size, 20, 2))) + 0 * edge
    return base * (1 + rng.uniform(.1, .45) * _clouds(rng, size, int(rng.integers(2, 9)), 5, .6))


def _shapes(rng, size):
    image = np.ones((size, size, 3)) * _muted(rng)
    for _ in range(rng.integers(3, 10)):
        left, top = rng.uniform(-.1, .95, 2)
        w, h = rng.uniform(.1, .6), rng.uniform(.1, .75)
        _box(image, rng, left, top, left + w, top + h, hsv(rng.random(), rng.uniform(0, .6), rng.uniform(.2, .95)), .6)
    return image
