"""Whether forearms and hands run through the body: such poses are drawn again."""

import numpy as np

LIMB_RADIUS, HAND_GAP = .018, .045


class Collisions:
    """Measures how deep arms are inside the torso, the head and the thighs."""

    def __init__(self, model):
        template, limb = model.template, model.limb
        surface = np.unique(model.assets.quads["body"])
        x, y, z = template[surface].T
        mouth_and_eyes = (y > 6.2) & (np.abs(x) < .6) & (z > .6) & (y < 7.5)
        trunk = surface[(limb[surface, 1] < .02) & (y > -3) & ~mouth_and_eyes]
        low, high = trunk[template[trunk, 1] < 6.2][::7], trunk[template[trunk, 1] >= 6.2][::17]
        self.model, self._surface = model, np.concatenate([low, high])
        names = ("lowerarm01", "lowerarm02", "wrist", "finger2-1", "finger5-1", "finger3-2", "finger3-3")
        self._probes = [model.bone[f"{name}.{side}"] for side in "LR" for name in names]

    def depth(self, body, skeleton):
        """The deepest penetration in metres; below zero where nothing touches."""
        points, rotations = self.model.skin(body.vertices[self._surface], skeleton, self._surface)
        normals = np.einsum("vij,vj->vi", rotations, body.normals[self._surface])
        probes = skeleton.joints[self._probes]
        squared = (probes ** 2).sum(1)[:, None] + (points ** 2).sum(1)[None] - 2 * probes @ points.T
        nearest = squared.argmin(1)
        inside = -np.einsum("ij,ij->i", probes - points[nearest], normals[nearest]) + LIMB_RADIUS
        between = np.sqrt(((probes[:7, None] - probes[None, 7:]) ** 2).sum(-1)).min()
        return max(inside.max(), (HAND_GAP - between) * .5)
