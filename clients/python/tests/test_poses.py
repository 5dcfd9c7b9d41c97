"""Poses from files."""

import json

import numpy
import pytest

from posed_client import read_poses

pose_format = pytest.importorskip("pose_format")
from pose_format.numpy import NumPyPoseBody  # noqa: E402
from pose_format.pose_header import (  # noqa: E402
    PoseHeader, PoseHeaderComponent, PoseHeaderDimensions)

MEDIAPIPE = [
    "NOSE", "LEFT_EYE_INNER", "LEFT_EYE", "LEFT_EYE_OUTER", "RIGHT_EYE_INNER", "RIGHT_EYE", "RIGHT_EYE_OUTER",
    "LEFT_EAR", "RIGHT_EAR", "MOUTH_LEFT", "MOUTH_RIGHT", "LEFT_SHOULDER", "RIGHT_SHOULDER", "LEFT_ELBOW",
    "RIGHT_ELBOW", "LEFT_WRIST", "RIGHT_WRIST", "LEFT_PINKY", "RIGHT_PINKY", "LEFT_INDEX", "RIGHT_INDEX",
    "LEFT_THUMB", "RIGHT_THUMB", "LEFT_HIP", "RIGHT_HIP", "LEFT_KNEE", "RIGHT_KNEE", "LEFT_ANKLE", "RIGHT_ANKLE",
    "LEFT_HEEL", "RIGHT_HEEL", "LEFT_FOOT_INDEX", "RIGHT_FOOT_INDEX"]


def write(path, components, places, certain):
    """A .pose file of [frames, people, points, 2 or 3] and [frames, people, points]."""
    form = "XYZC" if places.shape[-1] == 3 else "XYC"
    header = PoseHeader(0.2, PoseHeaderDimensions(320, 240, 0), [
        PoseHeaderComponent(name, points, [], [], form) for name, points in components])
    body = NumPyPoseBody(25, places.astype("float32"), certain.astype("float32"))
    with open(path, "wb") as file:
        pose_format.Pose(header, body).write(file)


def test_files_come_in_the_order_of_their_numbers(tmp_path):
    for name in ("10.json", "1.json", "2.json", "b2.png", "b10.json", "a.txt", "notes.md"):
        (tmp_path / name).write_bytes(name.encode())
    poses = read_poses(tmp_path)
    assert [pose.name for pose in poses] == ["1", "2", "10", "a", "b2", "b10"]
    assert poses[2].pose.file == b"10.json"


def test_lines_are_poses(tmp_path):
    file = tmp_path / "walk.jsonl"
    file.write_text("\n".join(json.dumps([number]) for number in range(11)) + "\n\n")
    assert [pose.name for pose in read_poses(file)][:2] == ["walk-01", "walk-02"]
    assert read_poses(str(file))[10].pose.file == b"[10]"


def test_where_there_is_none(tmp_path):
    with pytest.raises(ValueError, match="there are none"):
        read_poses(tmp_path)
    (tmp_path / "a.json").touch()
    (tmp_path / "a.png").touch()
    with pytest.raises(ValueError, match="endings alone"):
        read_poses(tmp_path)
    with pytest.raises(OSError):
        read_poses(tmp_path / "nowhere.json")


def test_a_sequence_of_mediapipe(tmp_path):
    count = len(MEDIAPIPE)
    places = numpy.arange(2 * 2 * (3 + count) * 3, dtype="float32").reshape(2, 2, 3 + count, 3) % 300
    certain = numpy.full((2, 2, 3 + count), 0.5)
    certain[1, 1] = 0.9
    certain[1, 1, 3 + MEDIAPIPE.index("LEFT_SHOULDER")] = 0.25
    write(tmp_path / "sign.pose", [("HANDS", ["A", "B", "C"]), ("POSE_LANDMARKS", MEDIAPIPE)], places, certain)
    poses = read_poses(tmp_path / "sign.pose")
    assert [pose.name for pose in poses] == ["sign-1", "sign-2"]
    points = poses[1].pose.keypoints
    assert (points.canvas_width, points.canvas_height, len(points.joints)) == (320, 240, 18)
    at = {name: places[1, 1, 3 + index] for index, name in enumerate(MEDIAPIPE)}
    assert (points.joints[0].x, points.joints[0].y) == tuple(at["NOSE"][:2])
    assert points.joints[4].x == at["RIGHT_WRIST"][0]
    neck = (at["LEFT_SHOULDER"] + at["RIGHT_SHOULDER"]) / 2
    assert (points.joints[1].x, points.joints[1].y) == tuple(neck[:2])
    assert points.joints[1].confidence == 0.25
    assert points.joints[17].x == at["LEFT_EAR"][0]
    # In the first frame both people are equally sure, so the first one is taken.
    assert poses[0].pose.keypoints.joints[0].x == places[0, 0, 3, 0]


@pytest.mark.parametrize("count", [18, 25])
def test_a_sequence_of_openpose(tmp_path, count):
    places = numpy.arange(count * 2, dtype="float32").reshape(1, 1, count, 2)
    write(tmp_path / "a.pose", [("pose_keypoints_2d", [f"P{number}" for number in range(count)])],
          places, numpy.ones((1, 1, count)))
    joints = read_poses(tmp_path / "a.pose")[0].pose.keypoints.joints
    assert [(joint.x, joint.y) for joint in joints] == [(2 * number, 2 * number + 1) for number in range(count)]


def test_sequences_that_cannot_be_used(tmp_path):
    write(tmp_path / "hands.pose", [("HANDS", ["A", "B"])], numpy.zeros((1, 1, 2, 2)), numpy.ones((1, 1, 2)))
    with pytest.raises(ValueError, match="body of MediaPipe or OpenPose, got HANDS"):
        read_poses(tmp_path / "hands.pose")
    (tmp_path / "bad.pose").write_bytes(b"\0\1\2")
    with pytest.raises(ValueError, match="expected a .pose file"):
        read_poses(tmp_path / "bad.pose")
