"""Looks at a sheet of `posekit eval` with detectors that were trained on real people (MediaPipe 0.10.14).

    posekit eval --model MODEL --data pairs --json report.json --sheet sheet.png --sheet-rows 200
    python Tests/Peers/looks.py --sheet sheet.png --data pairs --json looks.json

Of every row's output and target it counts faces and hands, and joints in place (PCK): 13 of the body (nose, shoulders,
elbows, wrists, hips, knees, ankles), each within a tenth of the larger side of the box around the pair's key points.
A detector misses some joints, faces and hands of real pictures too: the output's counts say something beside the
target's. Needs mediapipe==0.10.14 (with its models inside) and pillow.
"""

import argparse
import json
import sys
from pathlib import Path

import mediapipe
import numpy as np
from PIL import Image

GUTTER = 8
COLUMNS = ("source", "pose", "output", "target")
SEEN = ("output", "target")
# Each joint's place among OpenPose's 18 and among MediaPipe's 33.
JOINTS = {
    "nose": (0, 0), "right shoulder": (2, 12), "right elbow": (3, 14), "right wrist": (4, 16),
    "left shoulder": (5, 11), "left elbow": (6, 13), "left wrist": (7, 15), "right hip": (8, 24),
    "right knee": (9, 26), "right ankle": (10, 28), "left hip": (11, 23), "left knee": (12, 25), "left ankle": (13, 27),
}
LEAST_CONFIDENCE, NEAR = 0.05, 0.1


def cells(sheet, count):
    """The rows of a sheet: a dictionary of arrays [H, W, 3] for each."""
    width = (sheet.width - GUTTER * (len(COLUMNS) + 1)) // len(COLUMNS)
    height = (sheet.height - GUTTER * (count + 1)) // count
    if width < 1 or height < 1 or sheet.height != count * (height + GUTTER) + GUTTER:
        raise ValueError(f"a sheet of {count} rows expected, but its height is {sheet.height}")
    for row in range(count):
        top = GUTTER + row * (height + GUTTER)
        yield {name: sheet.crop((left, top, left + width, top + height))
               for column, name in enumerate(COLUMNS) for left in [GUTTER + column * (width + GUTTER)]}


def key_points(folder, line, size):
    """The 18 key points [18, 3] of a line of pairs.jsonl, in pixels of a picture of `size`."""
    entry = json.loads(line)
    with Image.open(folder / entry["target"]) as target:
        scale = [size[0] / target.width, size[1] / target.height, 1]
    rows = [list(point or (-1, -1, 0)) for point in entry["keypoints"]]
    points = np.asarray([row + [1] * (3 - len(row)) for row in rows], float) * scale
    points[(points[:, :2] < 0).any(axis=1), 2] = 0
    return points


class Looks:
    """MediaPipe's detectors of bodies, faces and hands, for single pictures."""

    def __init__(self, scale):
        solutions = mediapipe.solutions
        self.scale = scale
        self.bodies = solutions.pose.Pose(static_image_mode=True, model_complexity=1)
        self.faces = solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.5)
        self.hands = solutions.hands.Hands(static_image_mode=True, max_num_hands=2)

    def at(self, picture):
        """Joints [33, 2] in pixels or None, the number of faces (at most 1), the number of hands."""
        large = picture.resize((picture.width * self.scale, picture.height * self.scale), Image.Resampling.BICUBIC)
        pixels = np.asarray(large)
        body = self.bodies.process(pixels).pose_landmarks
        joints = None
        if body is not None:
            joints = np.asarray([(mark.x * picture.width, mark.y * picture.height) for mark in body.landmark])
        faces = self.faces.process(pixels).detections or ()
        hands = self.hands.process(pixels).multi_hand_landmarks or ()
        return joints, min(len(faces), 1), len(hands)


def in_place(points, joints):
    """How many joints of the key points are there, and how many of them were found in place."""
    there = points[points[:, 2] >= LEAST_CONFIDENCE, :2]
    wanted = [(ours, theirs) for ours, theirs in JOINTS.values() if points[ours, 2] >= LEAST_CONFIDENCE]
    if joints is None or not len(there):
        return len(wanted), 0
    reach = NEAR * (there.max(axis=0) - there.min(axis=0)).max()
    return len(wanted), sum(np.hypot(*(joints[theirs] - points[ours, :2])) <= reach for ours, theirs in wanted)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sheet", type=Path, required=True, help="the sheet of an evaluation")
    parser.add_argument("--data", type=Path, required=True, help="the folder with pairs.jsonl that it is of")
    parser.add_argument("--rows", type=int, help="rows of the sheet; else as many as there are pairs")
    parser.add_argument("--scale", type=int, default=3, help="how much larger the detectors see the pictures")
    parser.add_argument("--json", type=Path, help="where the counts go")
    options = parser.parse_args()
    lines = [line for line in (options.data / "pairs.jsonl").read_text().splitlines() if line.strip()]
    lines = lines[:options.rows]
    looks = Looks(options.scale)
    counts = {name: {"joints": 0, "in_place": 0, "faces": 0, "hands": 0} for name in SEEN}
    with Image.open(options.sheet) as sheet:
        for line, row in zip(lines, cells(sheet.convert("RGB"), len(lines))):
            points = key_points(options.data, line, row["target"].size)
            for name in SEEN:
                joints, faces, hands = looks.at(row[name])
                there, right = in_place(points, joints)
                for key, value in (("joints", there), ("in_place", right), ("faces", faces), ("hands", hands)):
                    counts[name][key] += int(value)
    result = {"pairs": len(lines), **{
        name: {"pck": row["in_place"] / max(row["joints"], 1), **row} for name, row in counts.items()}}
    for name in SEEN:
        row = result[name]
        print(f"{name:8} PCK {row['pck']:.3f} ({row['in_place']} of {row['joints']} joints), "
              f"{row['faces']} faces, {row['hands']} hands in {len(lines)} pictures")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except (ValueError, OSError) as error:
        sys.exit(f"looks: {error}")
