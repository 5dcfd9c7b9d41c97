"""What comes back: frames, and answers of a stream."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from posed.v1 import image_pb2, synthesis_pb2
from posed_client.endpoint import PathLike
from posed_client.errors import PosedError

if TYPE_CHECKING:
    import numpy
    import PIL.Image


class Frame:
    """A picture made, and how.

    message: `posed.v1.Frame`, with `used` (settings), `cache` (found ready) and `timings`.
    """

    def __init__(self, message: synthesis_pb2.Frame):
        self.message = message

    @property
    def used(self) -> synthesis_pb2.UsedSettings:
        """What it was made with: seed, solver, evaluations, size."""
        return self.message.used

    @property
    def cache(self) -> synthesis_pb2.CacheUse:
        """What was found ready."""
        return self.message.cache

    @property
    def timings(self) -> synthesis_pb2.StageTimings:
        """Where the time went."""
        return self.message.timings

    @property
    def is_raw(self) -> bool:
        """Whether the picture came as pixels instead of as a file."""
        return self.message.image.WhichOneof("encoding") == "raw"

    @property
    def data(self) -> bytes:
        """The picture as a file: as it came, or a PNG of the pixels that came."""
        picture = self.message.image
        kind = picture.WhichOneof("encoding")
        if kind is None:
            raise ValueError("the frame has no picture")
        return encode_png(picture.raw) if kind == "raw" else getattr(picture, kind)

    def array(self) -> "numpy.ndarray":
        """The picture as an array [H, W, 3] of uint8. Needs numpy; of a file, Pillow too."""
        import numpy

        if self.is_raw:
            raw = self.message.image.raw
            return numpy.frombuffer(raw.rgb, numpy.uint8).reshape(raw.height, raw.width, 3)
        return numpy.asarray(self.image())

    def image(self) -> "PIL.Image.Image":
        """The picture as an RGB picture of Pillow, which it needs."""
        from PIL import Image

        if self.is_raw:
            raw = self.message.image.raw
            return Image.frombytes("RGB", (raw.width, raw.height), raw.rgb)
        return Image.open(io.BytesIO(self.data)).convert("RGB")

    def save(self, path: PathLike) -> None:
        """Writes a picture file. A format other than the one that came, by the path's ending, needs Pillow."""
        data = self.data
        ending = Path(path).suffix.lower()
        if ending in ("", ".png") and data[:4] == b"\x89PNG" or ending in (".jpg", ".jpeg") and data[:2] == b"\xff\xd8":
            Path(path).write_bytes(data)
        else:
            self.image().save(path)

    def __repr__(self) -> str:
        return f"Frame({self.used.width}×{self.used.height}, seed={self.used.seed}, nfe={self.used.nfe})"


@dataclass(frozen=True)
class Answer:
    """What became of one pose of a stream: exactly one of the last three is not None.

    sequence:      the pose's number; the first pose of a stream is 1.
    frame:         the picture.
    superseded_by: the number of the later pose that took its place.
    error:         why there is no picture.
    """

    sequence: int
    frame: Optional[Frame] = None
    superseded_by: Optional[int] = None
    error: Optional[PosedError] = None


def encode_png(raw: image_pb2.RawImage) -> bytes:
    """A PNG file of raw pixels."""
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    stride = raw.width * 3
    rows = b"".join(b"\0" + raw.rgb[start:start + stride] for start in range(0, len(raw.rgb), stride))
    header = struct.pack(">IIBBBBB", raw.width, raw.height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1))
            + chunk(b"IEND", b""))
