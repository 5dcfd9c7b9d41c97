"""The layers that are drawn: which triangles, where they lie in template coordinates, which bones move them."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from . import cuts, hairpieces
from .body import DECIMETRE
from .rotations import unit

SHELLS = 8
"""How many copies of the scalp, each farther out, make short hair."""


@dataclass
class Mesh:
    """A layer: `triangles` (F, 3) over n vertices with their template coordinates and arm parameters.

    `vertices`: their numbers in the body, or None for a piece of its own, whose fit to a body is `anchor`
    (n, V), weights of the displacements of the body's vertices. `shell` (n,) is 0 … 1 over copies.
    """

    template: np.ndarray
    limb: np.ndarray
    triangles: np.ndarray
    weights: np.ndarray
    bones: np.ndarray
    vertices: np.ndarray | None = None
    anchor: sp.csr_matrix | None = None

    def __post_init__(self):
        n, faces = len(self.template), len(self.triangles)
        self._to_vertices = sp.csr_matrix(
            (np.ones(faces * 3, np.float32), (self.triangles.ravel(), np.repeat(np.arange(faces), 3))),
            shape=(n, faces))
        self._smoothing = None

    def __len__(self):
        return len(self.template)

    def normals(self, points):
        """Unit normals of the vertices at `points`."""
        corners = points[self.triangles]
        a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        return unit(self._to_vertices @ np.cross(a, b))

    def smoothed(self, values, rounds):
        """`values` (n, …) averaged with their neighbours `rounds` times."""
        if self._smoothing is None:
            corners = ((0, 1), (1, 2), (2, 0), (1, 0), (2, 1), (0, 2))
            edges = np.concatenate([self.triangles[:, pair] for pair in corners])
            n = len(self)
            links = sp.csr_matrix((np.ones(len(edges), np.float32), (edges[:, 0], edges[:, 1])), shape=(n, n))
            links.data[:] = 1
            degree = np.maximum(np.asarray(links.sum(1)).ravel(), 1)
            self._smoothing = (.5 * sp.eye(n) + .5 * sp.diags(1 / degree) @ links).tocsr().astype(np.float32)
        for _ in range(rounds):
            values = self._smoothing @ values
        return values

    def fitted(self, body, model):
        """The vertices on a person's body at rest, metres."""
        if self.vertices is not None:
            return body.vertices[self.vertices]
        return self.template / DECIMETRE + self.anchor @ (body.vertices - model.assets.template)


def build(model):
    """All layers by name."""
    quads = model.assets.quads
    meshes = {
        "body": _of_body(model, quads["body"]),
        "eyes": _of_body(model, np.concatenate([quads["helper-l-eye"], quads["helper-r-eye"]])),
        "lashes": _of_body(model, np.concatenate([faces for name, faces in quads.items() if "eyelash" in name])),
        "scalp": _of_body(model, quads["body"][_grows_hair(model.template[quads["body"]].mean(1))]),
        "tights": _of_body(model, quads["helper-tights"]),
        "skirt": _of_body(model, quads["helper-skirt"]),
        "shade": _coarse(model, quads["body"])}
    meshes["cap"] = meshes["scalp"]
    surface = np.unique(quads["body"])
    for name, (template, triangles, bones) in hairpieces.build(model).items():
        meshes[name] = _piece(model, surface, template, triangles, bones)
    return meshes


def _of_body(model, quads):
    vertices, index = np.unique(quads, return_inverse=True)
    index = index.reshape(quads.shape)
    triangles = np.concatenate([index[:, [0, 1, 2]], index[:, [0, 2, 3]]])
    return Mesh(model.template[vertices], model.limb[vertices], triangles, model.assets.weights[vertices],
                model.assets.weight_bones[vertices], vertices)


def _piece(model, surface, template, triangles, bones):
    distance, near = cKDTree(model.template[surface]).query(template, k=10)
    share = 1 / (distance + .05) ** 2
    share /= share.sum(1, keepdims=True)
    n = len(template)
    anchor = sp.csr_matrix((share.ravel(), (np.repeat(np.arange(n), 10), surface[near].ravel())),
                           shape=(n, len(model.template)))
    weights = np.zeros((n, 4), np.float32)
    numbers = np.zeros((n, 4), np.int32)
    for k, (name, weight) in enumerate(bones.items()):
        weights[:, k], numbers[:, k] = weight, model.bone[name]
    return Mesh(template.astype(np.float32), np.zeros((n, 2), np.float32), triangles, weights, numbers, None, anchor)


def _grows_hair(centre):
    """Where any hairline may let hair grow; not on the ears."""
    low = cuts.hairline(_LowestHairline, centre) > -.12
    ear = (np.abs(centre[:, 0]) > .74) & (centre[:, 1] < 7.46) & (centre[:, 2] > .18) & (centre[:, 2] < .68)
    return low & ~ear & (centre[:, 1] > 6.3)


class _LowestHairline:
    front, nape, shaved = 7.75, 6.4, 0.0


def _coarse(model, quads, cell=.22):
    """The body with vertices merged in cells of `cell` decimetres: enough to cast shadows."""
    mesh = _of_body(model, quads)
    cells = np.floor(mesh.template / cell).astype(int)
    _, first, merged = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    triangles = merged.reshape(-1)[mesh.triangles]
    a, b, c = triangles.T
    triangles = np.unique(triangles[(a != b) & (b != c) & (c != a)], axis=0)
    return Mesh(mesh.template[first], mesh.limb[first], triangles, mesh.weights[first], mesh.bones[first],
                mesh.vertices[first])
