"""Poses from files, and poses that another thread delivers."""

from __future__ import annotations

import queue
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from posed.v1 import pose_pb2
from posed_client.endpoint import PathLike
from posed_client.requests import PoseLike, keypoints

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


# What a component of a .pose file is, and how many points of it there may be.
_COMPONENTS = {
    "POSE_LANDMARKS": ("body", (33,)), "LEFT_HAND_LANDMARKS": ("left_hand", (21,)),
    "RIGHT_HAND_LANDMARKS": ("right_hand", (21,)), "FACE_LANDMARKS": ("face", (468, 478)),
    "pose_keypoints_2d": ("body", (18, 25)), "hand_left_keypoints_2d": ("left_hand", (21,)),
    "hand_right_keypoints_2d": ("right_hand", (21,)), "face_keypoints_2d": ("face", (70,)),
}


def _read_sequence(path: Path) -> List[NamedPose]:
    """The frames of a binary .pose file of MediaPipe or OpenPose, of the person seen most surely."""
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
    parts = _parts(path, sequence.header)
    places = numpy.ma.filled(sequence.body.data[..., :2], 0)
    certain = numpy.asarray(sequence.body.confidence)
    if places.shape[1] == 0:
        raise ValueError(f"{path}: expected a person, there is none")
    size = sequence.header.dimensions
    poses = []
    for number in range(len(places)):
        person = int(certain[number][:, parts["body"]].sum(axis=1).argmax())
        rows = numpy.column_stack([places[number, person], certain[number, person]])
        points = {name: rows[columns] for name, columns in parts.items()}
        poses.append(NamedPose(_numbered(path, number + 1, len(places)), keypoints(
            points["body"], canvas=(size.width, size.height), left_hand=points.get("left_hand", ()),
            right_hand=points.get("right_hand", ()), face=points.get("face", ()))))
    return poses


def _parts(path: Path, header: Any) -> Dict[str, slice]:
    """The columns of the body, and of hands and face where they are there. Raises ValueError."""
    parts: Dict[str, slice] = {}
    first = 0
    for component in header.components:
        last = first + len(component.points)
        name, counts = _COMPONENTS.get(component.name, ("", ()))
        if len(component.points) in counts:
            parts.setdefault(name, slice(first, last))
        first = last
    if "body" not in parts:
        found = ", ".join(component.name for component in header.components)
        raise ValueError(f"{path}: expected the body of MediaPipe or OpenPose, got {found or 'nothing'}")
    return parts


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
