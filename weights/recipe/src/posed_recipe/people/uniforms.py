"""Bytes of the uniform blocks, in the order of `shaders/blocks.glsl`."""

import numpy as np

from .dressing import CLOTHS

BONES = 163
BLOCKS = {"Bones": 0, "Frame": 1, "Person": 2}
SIZES = {"Bones": BONES * 3 * 16, "Frame": (3 * 16 + 7 * 4) * 4, "Person": (7 * 4 + 10 * 20) * 4}


def bones(skeleton):
    """Rows of the bones' 3x4 matrices."""
    return np.concatenate([skeleton.rotations, skeleton.offsets[..., None]], 2).astype(np.float32).tobytes()


def frame(camera, light, to_light, mood):
    """Camera, light and face of a picture."""
    matrices = [matrix.T.ravel() for matrix in (camera.to_clip, to_light, np.linalg.inv(camera.to_clip))]
    vectors = [[*camera.eye, 1], [*light.direction, 0], [*light.color, 0], [*light.sky, 0], [*light.floor, 0],
               [light.shadow, light.floor_shadow, 0, 0], [mood.mouth, mood.narrow, mood.brows, mood.lids]]
    return np.concatenate(matrices + vectors).astype(np.float32).tobytes()


def person(identity):
    """Skin, hair and cloths of an identity."""
    face, hair = identity.face, identity.hair
    grows = 0. if hair.style == "bald" else 2. if hair.style in ("afro", "curls") else 1.
    vectors = [[*face.skin, 0], [*face.lips, 0], [*face.iris, 0], [*hair.colors[0], grows], [*hair.colors[1], 0],
               [face.brow, face.brow_height, face.blush, face.beard], [face.freckles, identity.seed, 0, 0]]
    cloths = {**identity.outfit.cloths, "hat": identity.hat}
    packed = [cloths[name].packed() if name in cloths else np.zeros(20) for name in CLOTHS]
    packed += [np.zeros(20)] * (10 - len(packed))
    return np.concatenate([np.ravel(vectors), *packed]).astype(np.float32).tobytes()
