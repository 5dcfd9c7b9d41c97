"""Poses from files."""

import json

import numpy
import pytest

from posed_client import read_poses

pose_format = pytest.importorskip("pose_format")
from pose_format.numpy import NumPyPoseBody  # noqa: E402
from pose_format.pose_header import (  # noqa: E402
    PoseHeader, PoseHeaderComponent, PoseHeaderDimensions)

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
    parts = [("FACE_LANDMARKS", 468), ("POSE_LANDMARKS", 33), ("LEFT_HAND_LANDMARKS", 21),
             ("RIGHT_HAND_LANDMARKS", 21), ("POSE_WORLD_LANDMARKS", 33)]
    count = sum(number for _, number in parts)
    places = numpy.arange(2 * 2 * count * 3, dtype="float32").reshape(2, 2, count, 3) % 300
    certain = numpy.full((2, 2, count), 0.5)
    certain[1, 1, 468:501] = 0.75
    write(tmp_path / "sign.pose", [(name, [f"P{point}" for point in range(number)]) for name, number in parts],
          places, certain)
    poses = read_poses(tmp_path / "sign.pose")
    assert [pose.name for pose in poses] == ["sign-1", "sign-2"]
    points = poses[1].pose.keypoints
    assert (points.canvas_width, points.canvas_height) == (320, 240)
    # In the second frame the other person is the surer one; in the first both are alike, so the first is taken.
    for number, person in ((0, 0), (1, 1)):
        points = poses[number].pose.keypoints
        for found, begin, length in ((points.face, 0, 468), (points.joints, 468, 33), (points.left_hand, 501, 21),
                                     (points.right_hand, 522, 21)):
            assert len(found) == length
            assert [(point.x, point.y) for point in found] == [
                tuple(place[:2]) for place in places[number, person, begin:begin + length]]
    assert {point.confidence for point in poses[1].pose.keypoints.joints} == {0.75}


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
