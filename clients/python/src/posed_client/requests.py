"""Messages of the protocol made from what Python programs have: paths, bytes, arrays, pictures."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, List, Mapping, Optional, Sequence, Tuple, Union, cast

from google.protobuf import duration_pb2
from posed.v1 import image_pb2, pose_pb2, session_service_pb2, synthesis_pb2, synthesis_service_pb2

if TYPE_CHECKING:
    import numpy
    import PIL.Image

Picture = Union[str, "os.PathLike[str]", bytes, "numpy.ndarray", "PIL.Image.Image", image_pb2.Image]
Joints = Union[Sequence[Sequence[float]], "numpy.ndarray"]
PoseLike = Union[str, "os.PathLike[str]", bytes, Joints, "PIL.Image.Image", pose_pb2.Pose]

FORMATS = {"png": image_pb2.IMAGE_FORMAT_PNG, "raw": image_pb2.IMAGE_FORMAT_RAW_RGB8,
           "jpeg": image_pb2.IMAGE_FORMAT_JPEG}

FITS = {"": image_pb2.SOURCE_FIT_UNSPECIFIED, "stretch": image_pb2.SOURCE_FIT_STRETCH,
        "crop": image_pb2.SOURCE_FIT_CROP, "pad": image_pb2.SOURCE_FIT_PAD}


def image(picture: Picture) -> image_pb2.Image:
    """An Image message of a path, of the bytes of a picture file, of an array [H, W, 3] of uint8, or of a
    picture of Pillow. Raises ValueError, OSError."""
    if isinstance(picture, image_pb2.Image):
        return picture
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return _encoded(bytes(picture))
    if isinstance(picture, (str, os.PathLike)):
        return _encoded(Path(picture).read_bytes())
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


def _encoded(data: bytes) -> image_pb2.Image:
    """An Image message of a picture file: PNG, JPEG or WebP. What is none of them the daemon says."""
    if data[:3] == b"\xff\xd8\xff":
        return image_pb2.Image(jpeg=data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return image_pb2.Image(webp=data)
    return image_pb2.Image(png=data)


def _flat(picture: "PIL.Image.Image") -> "PIL.Image.Image":
    """A picture in RGB, turned as its camera held it, transparency laid over white as the daemon does."""
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(picture) or picture
    if "A" in picture.getbands() or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return picture.convert("RGB")


def pose(item: PoseLike) -> pose_pb2.Pose:
    """A Pose message of a path or the bytes of a pose file, of joints (x, y[, confidence]) in pixels of the frame
    (see `keypoints`), or of a picture of a skeleton. Raises ValueError, OSError."""
    if isinstance(item, pose_pb2.Pose):
        return item
    if isinstance(item, (bytes, bytearray, memoryview)):
        return pose_pb2.Pose(file=bytes(item))
    if isinstance(item, (str, os.PathLike)):
        return pose_pb2.Pose(file=Path(item).read_bytes())
    if hasattr(item, "convert"):
        return pose_pb2.Pose(picture=image(cast("PIL.Image.Image", item)))
    return keypoints(cast(Joints, item))


def keypoints(rows: Joints, *, canvas: Optional[Tuple[int, int]] = None, normalized: bool = False,
              left_hand: Joints = (), right_hand: Joints = (), face: Joints = ()) -> pose_pb2.Pose:
    """A pose of joints (x, y[, confidence]): pixels of the frame, pixels of a canvas (width, height), or normalized,
    shares of the picture's width and height. Raises ValueError.

    rows: 18 of OpenPose, 25 of BODY_25, 17 or 133 of COCO, 26 or 136 of Halpe, or 33 of MediaPipe.
    left_hand, right_hand: 21 each. face: 70 of OpenPose, 68, or 468 or 478 of MediaPipe's mesh.
    """
    if canvas is not None and normalized:
        raise ValueError("keypoints: expected a canvas or normalized coordinates, got both")
    space = pose_pb2.COORDINATE_SPACE_NORMALIZED if normalized else pose_pb2.COORDINATE_SPACE_PIXELS
    message = pose_pb2.Keypoints(
        joints=_points("pose", rows, (18, 25, 17, 133, 26, 136, 33)), space=space,
        left_hand=_points("left_hand", left_hand, (21, 0)), right_hand=_points("right_hand", right_hand, (21, 0)),
        face=_points("face", face, (70, 68, 468, 478, 0)))
    if canvas is not None:
        message.canvas_width, message.canvas_height = canvas
    return pose_pb2.Pose(keypoints=message)


def _points(what: str, rows: Joints, counts: Sequence[int]) -> List[pose_pb2.Keypoint]:
    """Keypoint messages of rows (x, y) or (x, y, confidence). Raises ValueError."""
    made: List[pose_pb2.Keypoint] = []
    for row in cast(Iterable[Sequence[float]], rows):
        values = [float(value) for value in row]
        if len(values) not in (2, 3):
            raise ValueError(f"{what}: expected x, y and perhaps a confidence for point {len(made)}, "
                             f"got {len(values)} numbers")
        made.append(pose_pb2.Keypoint(
            x=values[0], y=values[1], confidence=values[2] if len(values) == 3 else None))
    if len(made) not in counts:
        known = ", ".join(str(count) for count in counts if count)
        raise ValueError(f"{what}: expected {known} points, got {len(made)}")
    return made


def settings(values: Mapping[str, Any]) -> synthesis_pb2.SynthesisSettings:
    """Settings by the names of their fields; `image_format` may be "png", "jpeg" or "raw". Raises ValueError."""
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


def source_fit(name: str) -> image_pb2.SourceFit:
    """How pictures of another aspect are brought to the model's. Raises ValueError."""
    if name not in FITS:
        raise ValueError(f"fit: expected stretch, crop or pad, got {name!r}")
    return FITS[name]


def create_session(pictures: Sequence[Picture], *, name: str, id: str, model: str, fit: str, ttl: Optional[float],
                   values: Mapping[str, Any]) -> session_service_pb2.CreateSessionRequest:
    """The request that makes a session. It has an id of its own, so that it may be repeated."""
    if not pictures:
        raise ValueError("session: expected at least one picture of the person, got none")
    request = session_service_pb2.CreateSessionRequest(
        sources=[image(picture) for picture in pictures], display_name=name, model=qualified("models", model),
        default_settings=settings(values), session_id=id, request_id=str(uuid.uuid4()), source_fit=source_fit(fit))
    if ttl is not None:
        request.ttl.CopyFrom(duration(ttl))
    return request


def chosen(request: session_service_pb2.CreateSessionRequest) -> Optional[str]:
    """The name that a session will have, where its caller chose the id: a proxy routes its making by it, too."""
    return f"sessions/{request.session_id}" if request.session_id else None


def synthesize(pose_like: PoseLike, *, retarget_to: Optional[PoseLike],
               values: Mapping[str, Any]) -> synthesis_service_pb2.SynthesizeRequest:
    """The request for one picture, of whom is not said yet."""
    return synthesis_service_pb2.SynthesizeRequest(
        pose=pose(pose_like), settings=settings(values),
        retarget_to=None if retarget_to is None else pose(retarget_to))


def stream_start(session: str, *, max_lag: Optional[float], frame_deadline: Optional[float],
                 warm_start: float, retarget_to: Optional[PoseLike], smooth: Optional[float],
                 values: Mapping[str, Any]) -> synthesis_service_pb2.StreamStart:
    """The first message of a stream."""
    start = synthesis_service_pb2.StreamStart(session=session, settings=settings(values))
    if warm_start:
        start.warm_start = warm_start
    if max_lag is not None:
        start.max_lag.CopyFrom(duration(max_lag))
    if frame_deadline is not None:
        start.frame_deadline.CopyFrom(duration(frame_deadline))
    if retarget_to is not None:
        start.retarget_to.CopyFrom(pose(retarget_to))
    if smooth is not None:
        start.smoothing.min_cutoff = smooth
    return start


def update_session(name: str, *, etag: str, display_name: Optional[str], ttl: Optional[float],
                   values: Mapping[str, Any]) -> session_service_pb2.UpdateSessionRequest:
    """The request that changes what is given, where nobody else changed the session meanwhile."""
    request = session_service_pb2.UpdateSessionRequest(session=session_service_pb2.Session(name=name, etag=etag))
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
