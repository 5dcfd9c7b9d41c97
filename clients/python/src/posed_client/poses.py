"""Poses from files, and poses that another thread delivers."""

from __future__ import annotations

import queue
import re
from pathlib import Path
from typing import Iterator, List, NamedTuple, Optional, Tuple

from posed.v1 import pose_pb2
from posed_client.endpoint import PathLike
from posed_client.requests import PoseLike, joints

ENDINGS = (".json", ".png", ".jpg", ".jpeg", ".webp", ".txt")


class NamedPose(NamedTuple):
    """A pose, and what its frame may be called."""

    name: str
    pose: pose_pb2.Pose


def read_poses(path: PathLike) -> List[NamedPose]:
    """The poses of a file, of each line of a .jsonl file, of each frame of a .pose file (for which the extra
    `pose` of this package must be installed), or of the files of a folder in the order of their names, numbers by
    their value. Raises ValueError where there is none, OSError."""
    path = Path(path)
    if path.is_dir():
        files = sorted((file for file in path.iterdir() if file.suffix.lower() in ENDINGS), key=_by_number)
        poses = [NamedPose(file.stem, pose_pb2.Pose(file=file.read_bytes())) for file in files]
        if len({item.name for item in poses}) < len(poses):
            raise ValueError(f"{path}: two pose files differ in their endings alone")
    elif path.suffix.lower() == ".jsonl":
        lines = [line for line in path.read_bytes().splitlines() if line.strip()]
        poses = [NamedPose(_numbered(path, number, len(lines)), pose_pb2.Pose(file=line))
                 for number, line in enumerate(lines, 1)]
    elif path.suffix.lower() == ".pose":
        poses = _read_sequence(path)
    else:
        poses = [NamedPose(path.stem, pose_pb2.Pose(file=path.read_bytes()))]
    if not poses:
        raise ValueError(f"{path}: expected poses (a file, a .jsonl or .pose file, or a folder of "
                         f"{', '.join(ENDINGS)}), there are none")
    return poses


def _by_number(path: Path) -> Tuple[list, str]:
    """A key that puts 2 before 10."""
    parts = re.split(r"(\d+)", path.stem)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.suffix


def _numbered(path: Path, number: int, count: int) -> str:
    return f"{path.stem}-{number:0{len(str(count))}}"


# OpenPose's 18 joints by the names of MediaPipe's; the neck is the middle of the shoulders.
_MEDIAPIPE = (
    "NOSE", None, "RIGHT_SHOULDER", "RIGHT_ELBOW", "RIGHT_WRIST", "LEFT_SHOULDER", "LEFT_ELBOW", "LEFT_WRIST",
    "RIGHT_HIP", "RIGHT_KNEE", "RIGHT_ANKLE", "LEFT_HIP", "LEFT_KNEE", "LEFT_ANKLE", "RIGHT_EYE", "LEFT_EYE",
    "RIGHT_EAR", "LEFT_EAR")


def _read_sequence(path: Path) -> List[NamedPose]:
    """The frames of a binary .pose file: MediaPipe's or OpenPose's body, of the person seen most surely."""
    try:
        import numpy
        from pose_format import Pose as Sequence
    except ImportError:
        raise ValueError(f"{path}: reading .pose files needs pip install 'posed-client[pose]'") from None

    try:
        with path.open("rb") as file:
            sequence = Sequence.read(file.read())
    except OSError:
        raise
    except Exception as problem:  # The library has no error of its own for files that it cannot read.
        raise ValueError(f"{path}: expected a .pose file, and it cannot be read: {problem}") from problem
    columns, is_mediapipe = _body(path, sequence.header)
    places = numpy.ma.filled(sequence.body.data[..., :2], 0)[:, :, columns]
    certain = numpy.asarray(sequence.body.confidence)[:, :, columns]
    size = sequence.header.dimensions
    poses = []
    for number in range(len(places)):
        if places.shape[1] == 0:
            raise ValueError(f"{path}: expected a person, there is none")
        person = int(certain[number].sum(axis=1).argmax())
        rows = numpy.column_stack([places[number, person], certain[number, person]])
        if is_mediapipe:
            left, right = rows[1].copy(), rows[0].copy()
            neck = (left + right) / 2
            neck[2] = min(left[2], right[2])
            rows = numpy.insert(rows[2:], 1, neck, axis=0)
        poses.append(NamedPose(_numbered(path, number + 1, len(places)), pose_pb2.Pose(
            keypoints=pose_pb2.Keypoints(
                joints=joints(rows), space=pose_pb2.COORDINATE_SPACE_PIXELS,
                canvas_width=size.width, canvas_height=size.height))))
    return poses


def _body(path: Path, header) -> Tuple[List[int], bool]:
    """Columns of the body's joints, and whether they are MediaPipe's: the shoulders, then all but the neck."""
    first = 0
    for component in header.components:
        names = {name: first + index for index, name in enumerate(component.points)}
        if "NOSE" in names and all(name in names for name in _MEDIAPIPE if name):
            wanted = ["RIGHT_SHOULDER", "LEFT_SHOULDER"] + [name for name in _MEDIAPIPE if name]
            return [names[name] for name in wanted], True
        if component.name.startswith("pose_keypoints_2d") and len(component.points) in (18, 25):
            return list(range(first, first + len(component.points))), False
        first += len(component.points)
    found = ", ".join(component.name for component in header.components)
    raise ValueError(f"{path}: expected the body of MediaPipe or OpenPose, got {found or 'nothing'}")


class PoseQueue:
    """Poses that another thread puts in while a stream takes them out: for cameras and trackers."""

    def __init__(self) -> None:
        self._poses: "queue.SimpleQueue[Optional[tuple]]" = queue.SimpleQueue()

    def put(self, item: PoseLike) -> None:
        """Adds a pose."""
        self._poses.put((item,))

    def close(self) -> None:
        """Says that no more poses come."""
        self._poses.put(None)

    def __iter__(self) -> Iterator[PoseLike]:
        while (item := self._poses.get()) is not None:
            yield item[0]
