"""Pose sequences of one person: pictures, keypoints, and the source picture that they start from."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from .camera import sample_camera
from .identity import generator
from .landmarks import Found
from .motions import MOTIONS
from .pairs import listed
from .studio import shared_studio

PERFORMANCE, RATE = "performance", 25
"""The sequence that signs before a fixed camera, and its pictures a second."""


def write_sequences(out, people=1, frames=32, seed=0, size=256, split="heldout", motions=(*MOTIONS, PERFORMANCE)):
    """Writes `person-00/MOTION/frame-000.png` and `.json` (as OpenPose writes it) for each; yields the folders.

    `source.png` of a person is a front view in a calm pose, with its keypoints in `source.json`.
    """
    studio = shared_studio(size)
    for number in range(people):
        sitting = studio.person(split, seed, number)
        home = Path(out) / f"person-{number:02d}"
        for name in motions:
            folder = home / name
            folder.mkdir(parents=True, exist_ok=True)
            rng = generator(split, seed, number, 50)
            shots = list(sitting.sign(rng, frames, RATE)) if name == PERFORMANCE else film(sitting, name, frames, rng)
            _write(folder, shots, size)
            if name in (motions[0], PERFORMANCE):  # a fixed camera's source has its framing
                where = home if name == motions[0] else folder
                Image.fromarray(shots[0].picture).save(where / "source.png")
                (where / "source.json").write_text(json.dumps(_openpose(shots[0], size)) + "\n")
            yield folder


def film(sitting, motion, frames, rng):
    """The `Shot`s of a motion before one camera that takes in all of it."""
    move, shot = MOTIONS[motion]
    placed = [sitting.stand(move(frame / max(frames - 1, 1))) for frame in range(frames)]
    anchored = []
    for pose, skeleton, found in placed:  # feet may change the centre: keep the hips over the origin
        hips = found.body[[8, 11]].mean(0) * np.array([1, 0, 1])
        anchored.append((pose, skeleton.moved(-hips), found.moved(-hips)))
    camera = sample_camera(rng, _together([found for _, _, found in anchored]), shot)
    return [sitting.photograph(pose, skeleton, found, camera) for pose, skeleton, found in anchored]


def _together(all_found):
    """Landmarks at their outermost over a motion, for a camera that must take in all of it."""
    middle = all_found[len(all_found) // 2]
    body, hands = (np.stack([getattr(found, part) for found in all_found]) for part in ("body", "hands"))
    reach = np.abs(hands[..., 0]).reshape(len(all_found), -1).max(1).argmax()
    low = body[..., 1].reshape(len(all_found), -1).min(1).argmin()
    crown = max((found.crown for found in all_found), key=lambda crown: crown[1])
    return Found(middle.body, hands[reach], crown, all_found[low].feet)


def _openpose(shot, size):
    """A frame as OpenPose writes it, hands and face included."""
    def flat(points):
        return [value for point in listed(points) for value in point]

    return {"canvas_width": size, "canvas_height": size, "people": [{
        "pose_keypoints_2d": flat(shot.keypoints), "hand_left_keypoints_2d": flat(shot.hands[0]),
        "hand_right_keypoints_2d": flat(shot.hands[1]), "face_keypoints_2d": flat(shot.face)}]}


def _write(folder, shots, size):
    for number, shot in enumerate(shots):
        Image.fromarray(shot.picture).save(folder / f"frame-{number:03d}.png")
        (folder / f"frame-{number:03d}.json").write_text(json.dumps(_openpose(shot, size)) + "\n")
