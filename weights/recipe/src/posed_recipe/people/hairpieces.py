"""Pieces with a mesh of their own, in template coordinates: long hair, what is tied of it, brims, collars.

Each is (template (n, 3), triangles (F, 3), bones: weight or weights (n,) by name).
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from .rotations import unit

AXIS = np.array([0, 7.5, .3])
"""A point inside the head, from which hair is measured out."""


def build(model):
    """All pieces by name."""
    surface = np.unique(model.assets.quads["body"])
    points = model.template[surface]
    points = points[(model.limb[surface, 1] < .3) & (points[:, 1] > 2.5)]
    return {"curtain": _curtain(points), "collar": _collar(points), "knot": _ball(), "knot2": _ball(),
            "brim": _brim(points), "glasses": _glasses()}


def _grid(rows, columns):
    """Triangles of a grid whose rows have `columns` + 1 points."""
    a = (np.arange(rows - 1)[:, None] * (columns + 1) + np.arange(columns)[None]).ravel()
    b = a + columns + 1
    return np.concatenate([np.stack([a, b, a + 1], 1), np.stack([a + 1, b, b + 1], 1)])


def _head_and_neck(template):
    k = np.clip((template[:, 1] - 5.3) / 1.3, 0, 1)
    k = k * k * (3 - 2 * k)
    return {"head": k, "neck02": (1 - k) * .25, "spine01": (1 - k) * .75}


def _curtain(points, columns=64, dome_rows=9, fall_rows=30):
    """A surface about the head that hangs to the shoulder blades; what is seen of it is cut per person."""
    turn = np.linspace(-np.pi, np.pi, columns + 1)
    head = points[points[:, 1] > 6.9] - AXIS
    distance = np.linalg.norm(head, axis=1)
    head = head / distance[:, None]
    radius = np.zeros((dome_rows + fall_rows, columns + 1))
    outward = np.zeros((*radius.shape, 3))
    origin = np.broadcast_to(AXIS, outward.shape).copy()
    for j in range(dome_rows):
        polar = np.pi / 2 * j / dome_rows
        outward[j] = np.stack([np.sin(polar) * np.sin(turn), 0 * turn + np.cos(polar), np.sin(polar) * np.cos(turn)], 1)
        for i in range(columns + 1):
            radius[j, i] = np.percentile(distance[head @ outward[j, i] > .975], 85)
    heights = np.linspace(7.5, 3.0, fall_rows)
    radius[dome_rows:] = _radii(points, heights, turn, .16, .22, 2.2, fallback=radius[dome_rows - 1])
    outward[dome_rows:] = np.stack([np.sin(turn), 0 * turn, np.cos(turn)], 1)
    origin[dome_rows:, :, 1] = heights[:, None]
    side = np.abs(np.sin(turn)) > .6
    for j in range(dome_rows + 1, dome_rows + fall_rows):
        radius[j] = np.maximum(radius[j], radius[j - 1] * .985)  # hangs: never tucks back under the head
        widest = 1.30 + .25 * np.clip(6 - heights[j - dome_rows], 0, 1)
        radius[j] = np.where(side, np.minimum(radius[j], np.maximum(widest, radius[dome_rows])), radius[j])
    radius[:, -1] = radius[:, 0]
    radius = gaussian_filter(radius, (1.2, 1.5), mode=("nearest", "wrap")) + .14
    radius[dome_rows:] += .12 * np.clip((6.4 - heights) / .8, 0, 1)[:, None]
    radius[0] = radius[0].mean()
    radius[:, -1] = radius[:, 0]
    template = (origin + outward * radius[..., None]).reshape(-1, 3)
    return template, _grid(dome_rows + fall_rows, columns), _head_and_neck(template)


def _radii(points, heights, turn, half_angle, half_height, limit, fallback, share=100):
    """The distance of the surface from the axis at each height and angle."""
    angle, out = np.arctan2(points[:, 0], points[:, 2] - AXIS[2]), np.hypot(points[:, 0], points[:, 2] - AXIS[2])
    radius = np.zeros((len(heights), len(turn)))
    for j, height in enumerate(heights):
        level = (np.abs(points[:, 1] - height) < half_height) & (out < limit)
        for i, t in enumerate(turn):
            near = level & (np.abs((angle - t + np.pi) % (2 * np.pi) - np.pi) < half_angle)
            radius[j, i] = np.percentile(out[near], share) if near.any() else fallback[i]
        fallback = radius[j]
    return radius


def _collar(points, columns=48, rows=12):
    """A tube that hugs the neck from the collar bones to the chin; its rows lie at rising heights."""
    turn = np.linspace(-np.pi, np.pi, columns + 1)
    heights = np.linspace(5.35, 6.65, rows)
    axis = np.array([[0, y, np.interp(y, [5.4, 6.0, 6.6], [.05, .12, .32])] for y in heights])
    radius = np.zeros((rows, columns + 1))
    for j, centre in enumerate(axis):
        flat = points[np.abs(points[:, 1] - centre[1]) < .13] - centre
        angle, out = np.arctan2(flat[:, 0], flat[:, 2]), np.hypot(flat[:, 0], flat[:, 2])
        for i, t in enumerate(turn):
            near = (np.abs((angle - t + np.pi) % (2 * np.pi) - np.pi) < .3) & (out < 1.25)
            radius[j, i] = np.median(out[near]) if near.any() else 1.0
    ceiling = np.interp(heights, [5.35, 5.8, 6.1, 6.65], [1.15, .82, .66, .62])[:, None]
    radius = gaussian_filter(np.minimum(radius, ceiling), (1, 1.5), mode=("nearest", "wrap"))
    radius[:, -1] = radius[:, 0]
    around = np.stack([np.sin(turn), 0 * turn, np.cos(turn)], 1)
    template = (axis[:, None] + around * radius[..., None]).reshape(-1, 3)
    k = np.clip((template[:, 1] - 5.6) / .9, 0, 1)
    return template, _grid(rows, columns), {"neck01": .45 * k, "neck02": .35 * k, "spine01": 1 - .8 * k}


def _ball(columns=14, rows=10):
    """A unit ball at the back of the head: buns and tails are made of it."""
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, columns + 1), np.linspace(0, np.pi, rows))
    ball = np.stack([np.sin(v) * np.cos(u), np.cos(v), np.sin(v) * np.sin(u)], -1).reshape(-1, 3)
    return np.array([0, 7.8, -1.]) + ball * .5, _grid(rows, columns), {"head": 1.0}


def _brim(points, columns=48, rows=4):
    """A disc about the forehead, of which a visor or a whole brim is cut: rows run outward."""
    turn = np.linspace(-np.pi, np.pi, columns + 1)
    level = points[np.abs(points[:, 1] - 7.85) < .15] - AXIS
    angle, out = np.arctan2(level[:, 0], level[:, 2]), np.hypot(level[:, 0], level[:, 2])
    radius = np.array([out[np.abs((angle - t + np.pi) % (2 * np.pi) - np.pi) < .25].max() for t in turn])
    radius = gaussian_filter(radius, 1, mode="wrap")
    radius[-1] = radius[0]
    width = np.linspace(0, .8, rows)[:, None]
    out = radius[None] + .08 + width
    drop = 7.86 - .16 * width ** 1.3 - .10 * np.abs(np.sin(turn))[None] * width
    template = np.stack([out * np.sin(turn), drop, AXIS[2] + out * np.cos(turn)], -1).reshape(-1, 3)
    return template, _grid(rows, columns), {"head": 1.0}


def _tube(path, radius, closed=False, sides=6):
    path = np.asarray(path, float)
    count = len(path)
    along = np.roll(path, -1, 0) - np.roll(path, 1, 0)
    if not closed:
        along[0], along[-1] = path[1] - path[0], path[-1] - path[-2]
    along = unit(along)
    u = unit(np.cross(along, [.3, .2, 1.]))
    w = np.cross(along, u)
    a = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = path[:, None] + radius * (np.cos(a)[None, :, None] * u[:, None] + np.sin(a)[None, :, None] * w[:, None])
    faces = []
    for i in range(count if closed else count - 1):
        for k in range(sides):
            p, q = i * sides + k, i * sides + (k + 1) % sides
            r, s = ((i + 1) % count) * sides + k, ((i + 1) % count) * sides + (k + 1) % sides
            faces += [[p, r, q], [q, r, s]]
    return ring.reshape(-1, 3), np.array(faces)


def _glasses():
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    x, y = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** .75, np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** .75
    tubes = [_tube([[-.12, 7.28, 1.60], [0, 7.30, 1.64], [.12, 7.28, 1.60]], .018)]
    for sign in (1, -1):
        depth = 1.60 - .10 * np.abs(sign * .345 + .22 * np.cos(turn))
        rim = np.stack([sign * .345 + .225 * x, 7.245 + .17 * y, depth], 1)
        tubes.append(_tube(rim, .018, closed=True))
        arm = np.array([[.57, 7.30, 1.53], [.72, 7.31, 1.2], [.78, 7.31, .7], [.78, 7.22, .45]]) * [sign, 1, 1]
        tubes.append(_tube(arm, .018))
    start = np.cumsum([0] + [len(points) for points, _ in tubes])
    return (np.concatenate([points for points, _ in tubes]),
            np.concatenate([faces + at for (_, faces), at in zip(tubes, start)]), {"head": 1.0})
