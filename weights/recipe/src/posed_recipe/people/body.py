"""The parametric body: from a person's measures to a mesh at rest, and from a pose to bones."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from .rotations import unit

# The anchors between which each phenotype measure (0 … 1) is interpolated, in the model's order.
ANCHORS = {
    "race": ("african", "asian", "caucasian"), "gender": ("male", "female"),
    "age": ("newborn", "baby", "child", "young", "old"),
    "muscle": ("minmuscle", "averagemuscle", "maxmuscle"),
    "weight": ("minweight", "averageweight", "maxweight"), "height": ("minheight", "maxheight"),
    "proportions": ("idealproportions", "uncommonproportions"),
    "cupsize": ("mincup", "averagecup", "maxcup"),
    "firmness": ("minfirmness", "averagefirmness", "maxfirmness")}

DECIMETRE = 10.0
"""Template coordinates, in which clothes are cut and faces painted, are tenths of a metre."""


def weighted_sum(weights, rows):
    """`weights` (n,) times `rows` (n, m). Unlike a BLAS product, the same bits with any number of threads."""
    return np.einsum("i,ij->j", weights, rows)


@dataclass
class BodyShape:
    """A person at rest: `vertices` (V, 3), `normals` (V, 3) and `joints` (B, 3), metres."""

    vertices: np.ndarray
    normals: np.ndarray
    joints: np.ndarray


@dataclass
class Skeleton:
    """Bones of a pose: a point x of bone b goes to `rotations`[b] x + `offsets`[b]; `joints` is where they start."""

    rotations: np.ndarray
    offsets: np.ndarray
    joints: np.ndarray

    def moved(self, shift):
        """The same pose, shifted."""
        return Skeleton(self.rotations, self.offsets + shift, self.joints + shift)


class BodyModel:
    """Shapes and poses bodies."""

    def __init__(self, assets):
        self.assets = assets
        self.template = assets.template * DECIMETRE
        self.bone = {name: i for i, name in enumerate(assets.bones)}
        self.limb = self._limb_parameters()
        quads = np.concatenate(list(assets.quads.values()))
        self._quads = quads
        faces = np.repeat(np.arange(len(quads)), 4)
        self._to_vertices = sp.csr_matrix((np.ones(quads.size, np.float32), (quads.ravel(), faces)),
                                          shape=(len(assets.template), len(quads)))
        self._by_depth = self._generations(assets.parents)

    def coefficients(self, phenotype, local, facial):
        """Target coefficients of a person's measures.

        `phenotype`: the keys of ANCHORS save race, and the three races' shares; ages of 1/3 (a child's) and more;
        `local`: −1 … 1 by the name of a local change; `facial`: 0 … 1 by the name of a facial action.
        """
        assets, weight = self.assets, {}
        for measure, anchors in ANCHORS.items():
            if measure == "race":
                shares = np.array([phenotype[name] for name in anchors])
                weight.update(zip(anchors, shares / shares.sum()))
                continue
            at = np.linspace(-1 / 3 if measure == "age" else 0, 1, len(anchors))
            value = np.clip(phenotype[measure], at[0], at[-1])
            weight.update({name: np.interp(value, at, np.eye(len(anchors))[i]) for i, name in enumerate(anchors)})
        flat = np.array([weight[name] for anchors in ANCHORS.values() for name in anchors], np.float32)
        terms = np.prod(flat * assets.phenotype_mask + (1 - assets.phenotype_mask), 1)
        shape = weighted_sum(terms, assets.phenotype_projection)
        face = np.array([facial.get(name, 0.0) for name in assets.facial_actions])
        change = np.zeros(2 * len(assets.local_changes))
        for name, value in local.items():
            change[2 * assets.local_changes.index(name) + (value < 0)] = abs(value)
        return np.concatenate([shape, face, change]).astype(np.float32)

    def shape(self, coefficients):
        """The mesh and joints at rest."""
        assets, shapes = self.assets, len(self.assets.shape_targets)
        moved = weighted_sum(coefficients[:shapes], assets.shape_targets)
        moved += assets.change_targets.T @ coefficients[shapes:]
        vertices = assets.template + moved.reshape(-1, 3)
        joints = assets.joints + weighted_sum(coefficients, assets.joint_targets).reshape(-1, 3)
        corners = vertices[self._quads]
        a, b = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
        normals = unit(self._to_vertices @ np.cross(a, b))
        return BodyShape(vertices, normals, joints)

    def pose(self, joints, turns, root):
        """Forward kinematics: `turns`, rotations in the axes of the rest pose by bone number; `root`, the whole's."""
        rotations = np.empty((len(joints), 3, 3))
        placed = np.empty((len(joints), 3))
        relative = joints - joints[np.maximum(self.assets.parents, 0)]
        rotations[0], placed[0] = root, joints[0]
        for bones, parents in self._by_depth:
            rotations[bones] = rotations[parents]
            placed[bones] = placed[parents] + np.einsum("bij,bj->bi", rotations[parents], relative[bones])
            for bone in bones:
                turn = turns.get(bone)
                if turn is not None:
                    rotations[bone] = rotations[bone] @ turn
        return Skeleton(rotations, placed - np.einsum("bij,bj->bi", rotations, joints), placed)

    def skin(self, points, skeleton, vertices):
        """Points (n, 3) at rest, of the vertex numbers `vertices`, as the pose moves them."""
        weights, bones = self.assets.weights[vertices], self.assets.weight_bones[vertices]
        rotations = np.einsum("vk,vkij->vij", weights, skeleton.rotations[bones])
        offsets = np.einsum("vk,vki->vi", weights, skeleton.offsets[bones])
        return np.einsum("vij,vj->vi", rotations, points) + offsets, rotations

    @staticmethod
    def _generations(parents):
        depth = np.zeros(len(parents), int)
        for bone in range(1, len(parents)):
            depth[bone] = depth[parents[bone]] + 1
        levels = [np.flatnonzero(depth == level) for level in range(1, depth.max() + 1)]
        return [(bones, parents[bones]) for bones in levels]

    def _limb_parameters(self):
        """For every vertex: how far along the arm (0 shoulder, 1 elbow, 2 wrist, 3 finger), how much of it (0 … 1)."""
        assets, template, bone = self.assets, self.template, self.bone
        names = ("upperarm", "lowerarm", "wrist", "finger", "metacarpal")
        arm = np.array([name.startswith(names) for name in assets.bones])
        share = (assets.weights * arm[assets.weight_bones]).sum(1)
        along = np.full(len(template), -0.5)
        for side, sign in (("L", 1), ("R", -1)):
            ends = [assets.joints[bone[f"{name}.{side}"]] * DECIMETRE
                    for name in ("upperarm01", "lowerarm01", "wrist", "finger3-3")]
            best = np.full(len(template), np.inf)
            for k in range(3):
                d = ends[k + 1] - ends[k]
                t = np.clip((template - ends[k]) @ d / (d @ d), -0.3 if k == 0 else 0, 1 if k < 2 else 1.4)
                distance = np.linalg.norm(template - ends[k] - t[:, None] * d, axis=1)
                nearer = (distance < best) & (template[:, 0] * sign > 0)
                best[nearer] = distance[nearer]
                along[nearer] = k + t[nearer]
        blend = np.clip((share - 0.02) / 0.25, 0, 1)
        return np.stack([-0.3 * (1 - blend) + along * blend, share], 1).astype(np.float32)
