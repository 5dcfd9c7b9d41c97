"""Messages of the protocol made from what Python programs have: paths, bytes, arrays, pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, List, Mapping, Optional, Sequence, Union, cast

from google.protobuf import duration_pb2
from posed.v1 import image_pb2, pose_pb2, session_service_pb2, synthesis_pb2, synthesis_service_pb2

if TYPE_CHECKING:
    import numpy
    import PIL.Image

Picture = Union[str, "os.PathLike[str]", bytes, "numpy.ndarray", "PIL.Image.Image", image_pb2.Image]
Joints = Union[Sequence[Sequence[float]], "numpy.ndarray"]
PoseLike = Union[str, "os.PathLike[str]", bytes, Joints, "PIL.Image.Image", pose_pb2.Pose]

FORMATS = {"png": image_pb2.IMAGE_FORMAT_PNG, "raw": image_pb2.IMAGE_FORMAT_RAW_RGB8}


def image(picture: Picture) -> image_pb2.Image:
    """An Image message of a path, of the bytes of a picture file, of an array [H, W, 3] of uint8, or of a
    picture of Pillow. Raises ValueError, OSError."""
    if isinstance(picture, image_pb2.Image):
        return picture
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return image_pb2.Image(png=bytes(picture))
    if isinstance(picture, (str, os.PathLike)):
        return image_pb2.Image(png=Path(picture).read_bytes())
    if hasattr(picture, "shape") and hasattr(picture, "dtype"):
        if len(picture.shape) != 3 or picture.shape[2] != 3 or str(picture.dtype) != "uint8":
            raise ValueError("picture: expected an array [H, W, 3] of uint8, "
                             f"got {list(picture.shape)} of {picture.dtype}")
        height, width, _ = picture.shape
        return image_pb2.Image(raw=image_pb2.RawImage(width=width, height=height, rgb=picture.tobytes()))
    if hasattr(picture, "convert") and hasattr(picture, "tobytes"):
        flat = _flat(picture)
        return image_pb2.Image(raw=image_pb2.RawImage(width=flat.width, height=flat.height, rgb=flat.tobytes()))
    raise ValueError("picture: expected a path, bytes, an array or a picture of Pillow, "
                     f"got {type(picture).__name__}")


def _flat(picture: "PIL.Image.Image") -> "PIL.Image.Image":
    """A picture in RGB, turned as its camera held it, transparency laid over white as the daemon does."""
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(picture) or picture
    if "A" in picture.getbands() or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return picture.convert("RGB")


def pose(item: PoseLike) -> pose_pb2.Pose:
    """A Pose message of a path or the bytes of a pose file, of 18 or 25 joints (x, y[, confidence]) in pixels of
    the frame, or of a picture of a skeleton. Raises ValueError, OSError."""
    if isinstance(item, pose_pb2.Pose):
        return item
    if isinstance(item, (bytes, bytearray, memoryview)):
        return pose_pb2.Pose(file=bytes(item))
    if isinstance(item, (str, os.PathLike)):
        return pose_pb2.Pose(file=Path(item).read_bytes())
    if hasattr(item, "convert"):
        return pose_pb2.Pose(picture=image(cast("PIL.Image.Image", item)))
    return pose_pb2.Pose(keypoints=pose_pb2.Keypoints(
        joints=joints(cast(Iterable[Sequence[float]], item)), space=pose_pb2.COORDINATE_SPACE_PIXELS))


def joints(rows: Iterable[Sequence[float]]) -> List[pose_pb2.Keypoint]:
    """Keypoint messages of rows (x, y) or (x, y, confidence). Raises ValueError."""
    made: List[pose_pb2.Keypoint] = []
    for row in rows:
        values = [float(value) for value in row]
        if len(values) not in (2, 3):
            raise ValueError(f"joint {len(made)}: expected x, y and perhaps a confidence, got {len(values)} numbers")
        made.append(pose_pb2.Keypoint(
            x=values[0], y=values[1], confidence=values[2] if len(values) == 3 else None))
    if len(made) not in (18, 25):
        raise ValueError(f"pose: expected 18 or 25 joints, got {len(made)}")
    return made


def settings(values: Mapping[str, Any]) -> synthesis_pb2.SynthesisSettings:
    """Settings by the names of their fields; `image_format` may be "png" or "raw". Raises ValueError."""
    given = {name: value for name, value in values.items() if value is not None}
    kind = given.get("image_format")
    if isinstance(kind, str) and kind in FORMATS:
        given["image_format"] = FORMATS[kind]
    try:
        return synthesis_pb2.SynthesisSettings(**given)
    except (ValueError, TypeError) as problem:
        known = {field.name for field in synthesis_pb2.SynthesisSettings.DESCRIPTOR.fields}
        unknown = sorted(set(given) - known)
        if unknown:
            raise ValueError(f"{unknown[0]}: there is no such setting; there are {', '.join(sorted(known))}") from None
        raise ValueError(f"settings: {problem}") from None


def duration(seconds: float) -> duration_pb2.Duration:
    """A Duration message."""
    nanos = round(seconds * 1e9)
    return duration_pb2.Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)


def create_session(pictures: Sequence[Picture], *, name: str, model: str, ttl: Optional[float],
                   values: Mapping[str, Any]) -> session_service_pb2.CreateSessionRequest:
    """The request that makes a session."""
    if not pictures:
        raise ValueError("session: expected at least one picture of the person, got none")
    request = session_service_pb2.CreateSessionRequest(
        sources=[image(picture) for picture in pictures], display_name=name, model=qualified("models", model),
        default_settings=settings(values))
    if ttl is not None:
        request.ttl.CopyFrom(duration(ttl))
    return request


def stream_start(session: str, *, max_lag: Optional[float], frame_deadline: Optional[float],
                 warm_start: float, values: Mapping[str, Any]) -> synthesis_service_pb2.StreamStart:
    """The first message of a stream."""
    start = synthesis_service_pb2.StreamStart(session=session, settings=settings(values))
    if warm_start:
        start.warm_start = warm_start
    if max_lag is not None:
        start.max_lag.CopyFrom(duration(max_lag))
    if frame_deadline is not None:
        start.frame_deadline.CopyFrom(duration(frame_deadline))
    return start


def update_session(name: str, *, display_name: Optional[str], ttl: Optional[float],
                   values: Mapping[str, Any]) -> session_service_pb2.UpdateSessionRequest:
    """The request that changes what is given."""
    request = session_service_pb2.UpdateSessionRequest(session=session_service_pb2.Session(name=name))
    if display_name is not None:
        request.session.display_name = display_name
        request.update_mask.paths.append("display_name")
    if ttl is not None:
        request.session.ttl.CopyFrom(duration(ttl))
        request.update_mask.paths.append("ttl")
    if values:
        request.session.default_settings.CopyFrom(settings(values))
        request.update_mask.paths.append("default_settings")
    return request


def qualified(collection: str, name: str) -> str:
    """A resource's whole name: `models/default` of `default`."""
    return name if not name or name.startswith(collection + "/") else f"{collection}/{name}"
