"""Writes Tests/Goldens/vision/pose-files.json: `.pose` files and the joints that are in them.

Needs numpy and pose-format:

    python Tests/Goldens/make_pose_files.py

pose-format writes version 0.2 and reads 0.0 and 0.1 as well; those two are written here, and it must read them as
they were meant. Which point is which joint is told by the names that the formats give their points.
"""

import base64
import io
import json
import struct
from pathlib import Path

import numpy as np
from pose_format import Pose
from pose_format.numpy import NumPyPoseBody
from pose_format.pose_header import (PoseHeader, PoseHeaderCache, PoseHeaderComponent,
                                     PoseHeaderDimensions)
from pose_format.utils.alphapose import get_alphapose_components
from pose_format.utils.cocowholebody133_header import cocowholebody_components
from pose_format.utils.openpose import OpenPose_Components
from pose_format.utils.openpose_135 import OpenPose_Components as OpenPose_135_Components

OUT = Path(__file__).parent / "vision" / "pose-files.json"
NAMES = ["nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow",
         "left wrist", "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
         "right eye", "left eye", "right ear", "left ear"]
MEDIAPIPE = """NOSE LEFT_EYE_INNER LEFT_EYE LEFT_EYE_OUTER RIGHT_EYE_INNER RIGHT_EYE RIGHT_EYE_OUTER LEFT_EAR RIGHT_EAR
MOUTH_LEFT MOUTH_RIGHT LEFT_SHOULDER RIGHT_SHOULDER LEFT_ELBOW RIGHT_ELBOW LEFT_WRIST RIGHT_WRIST LEFT_PINKY
RIGHT_PINKY LEFT_INDEX RIGHT_INDEX LEFT_THUMB RIGHT_THUMB LEFT_HIP RIGHT_HIP LEFT_KNEE RIGHT_KNEE LEFT_ANKLE
RIGHT_ANKLE LEFT_HEEL RIGHT_HEEL LEFT_FOOT_INDEX RIGHT_FOOT_INDEX""".split()
HAND = ["WRIST"] + [f"{finger}_{joint}" for finger, joints in [
    ("THUMB", "CMC MCP IP TIP"), ("INDEX_FINGER", "MCP PIP DIP TIP"), ("MIDDLE_FINGER", "MCP PIP DIP TIP"),
    ("RING_FINGER", "MCP PIP DIP TIP"), ("PINKY", "MCP PIP DIP TIP")] for joint in joints.split()]


def holistic(face, body=MEDIAPIPE, hand=HAND):
    """The components of MediaPipe's Holistic, or of files that keep some of its points."""
    def part(name, points):
        return PoseHeaderComponent(name, points, [(0, 1)], [(255, 0, 0)], "XYZC")
    return [part("POSE_LANDMARKS", body), part("FACE_LANDMARKS", face), part("LEFT_HAND_LANDMARKS", hand),
            part("RIGHT_HAND_LANDMARKS", hand), part("POSE_WORLD_LANDMARKS", body)]


def spellings(joint):
    side, _, part = joint.rpartition(" ")
    return {f"{side}_{part}".strip("_").upper(), f"{side}_{part}".strip("_"), f"{side[:1].upper()}{part.title()}"}


def body_places(components):
    """Where the 18 joints are among all points; None for those that are not there."""
    names = [name for c in components for name in
             (c.points if "WORLD" not in c.name and "FACE" not in c.name.upper() and "HAND" not in c.name.upper()
              else [""] * len(c.points))]
    return [next((names.index(s) for s in spellings(joint) if s in names), None) for joint in NAMES]


def written(components, width, height, fps, data, confidence):
    PoseHeaderCache.clear_cache()
    header = PoseHeader(0.2, PoseHeaderDimensions(width, height, 100), components)
    buffer = io.BytesIO()
    Pose(header, NumPyPoseBody(fps, data, confidence)).write(buffer)
    return buffer.getvalue()


def older(file, version, components, fps, data, confidence):
    """The same in a layout of before."""
    head = file[:len(file) - 10 - data.size * 4 - confidence.size * 4]
    head = struct.pack("<f", version) + head[4:]
    frames, people = data.shape[:2]
    if version == 0.1:
        return (head + struct.pack("<HHH", int(fps), frames, people) + data.tobytes() + confidence.tobytes())
    body = struct.pack("<HH", int(fps), frames)
    for frame in range(frames):
        body += struct.pack("<H", people)
        for person in range(people):
            body += struct.pack("<h", person)
            start = 0
            for c in components:
                for k in range(start, start + len(c.points)):
                    body += struct.pack(f"<{len(c.format)}f", *data[frame, person, k][:len(c.format) - 1],
                                        confidence[frame, person, k])
                start += len(c.points)
    return head + body


def case(name, components, seed, version=0.2, people=1, fps=25.0, frames=2):
    rng = np.random.default_rng(seed)
    points = sum(len(c.points) for c in components)
    dimensions = max(len(c.format) for c in components) - 1
    data = rng.uniform(3, 300, (frames, people, points, dimensions)).astype(np.float32)
    confidence = rng.uniform(0.5, 1, (frames, people, points)).astype(np.float32)
    confidence[:, 1:] *= 0.2
    gone = rng.random(confidence.shape) < 0.1
    confidence[gone], data[gone] = 0, 0
    if frames > 2:
        confidence[1], data[1] = 0, 0
    file = written(components, 320, 310, fps, data, confidence)
    if version != 0.2:
        file = older(file, version, components, fps, data, confidence)
    PoseHeaderCache.clear_cache()
    back = Pose.read(file)
    assert (back.header.dimensions.width, back.header.dimensions.height) == (320, 310)
    assert np.allclose(back.body.data.data[:, 0], data[:, 0]) and back.body.fps == fps
    assert np.allclose(back.body.confidence[:, 0], confidence[:, 0])

    starts = np.cumsum([0] + [len(c.points) for c in components])
    part = {c.name.lower(): range(starts[k], starts[k + 1]) for k, c in enumerate(components)}

    def joints(frame, places):
        return [[-1, -1, 0] if k is None or confidence[frame, 0, k] < 0.05 else
                [float(v) for v in (*data[frame, 0, k, :2], confidence[frame, 0, k])] for k in places]

    expected = []
    for frame in range(frames):
        entry = {"body": joints(frame, body_places(components))}
        for key, place in part.items():
            if "hand" in key and len(place) == 21:
                entry["left" if "left" in key else "right"] = joints(frame, place)
            if "face" in key and len(place) in (68, 70):
                entry["face"] = joints(frame, place)
        expected.append(entry)
    return {"name": name, "file": base64.b64encode(file).decode(), "rate": fps, "frames": expected}


def main():
    mesh = [str(k) for k in range(468)]
    some = [n for n in MEDIAPIPE if "HEEL" not in n and "MOUTH" not in n]
    cases = [
        case("openpose", OpenPose_Components, 1, frames=3),
        case("openpose, several people", OpenPose_Components, 2, people=3),
        case("openpose 0.1", OpenPose_Components, 3, version=0.1, people=2),
        case("openpose 0.0", OpenPose_Components, 4, version=0.0, people=2),
        case("openpose 135", OpenPose_135_Components, 5),
        case("holistic", holistic(mesh), 6, fps=12.5),
        case("holistic 0.0", holistic(["0", "4", "152"]), 7, version=0.0, fps=30.0),
        case("part of holistic", holistic(["0", "4", "152"], some, HAND[:9]), 8),
        case("wholebody", cocowholebody_components(), 9),
        case("halpe 136", get_alphapose_components(), 10),
    ]
    OUT.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
