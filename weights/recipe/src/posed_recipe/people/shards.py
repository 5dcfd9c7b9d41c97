"""Sets on disk: plain tar files of JPEG and PNG bytes, each with an index that says where its pictures lie.

A shard is `shard-00000.tar` with `shard-00000.npz`; the index is written last, so a shard that has one is
complete. `index.json` says what the set is. Readers need no tar: offsets and sizes are in the index.
"""

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from .parts import person

FORMAT = 3
COLUMNS = {"picture": np.int64, "mask": np.int64, "parts": np.int64, "identity": np.int64, "pose": np.int16,
           "keypoints": np.float32, "hands": np.float32, "face": np.float32, "kind": np.uint8, "shot": np.uint8,
           "yaw": np.float32, "camera": np.float32, "surface": np.uint8}
_BYTES = ("picture", "mask", "parts")
_SUFFIX = {"picture": "jpg", "mask": "mask.png", "parts": "parts.png"}
_PALETTE = bytes(np.random.default_rng(5).integers(40, 256, (16, 3), np.uint8).ravel())


class SetError(ValueError):
    """A folder is not the set that was expected."""


def jpeg(picture, quality=95):
    """Bytes of a picture (size, size, 3) with full colour resolution."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


def mask_png(mask):
    """Bytes of a 1-bit picture, white where `mask` is true."""
    file = io.BytesIO()
    Image.fromarray(mask).convert("1", dither=Image.Dither.NONE).save(file, "PNG", compress_level=4)
    return file.getvalue()


def parts_png(parts):
    """Bytes of a picture whose palette indices are the part map."""
    image = Image.fromarray(parts, "L").copy()
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(_PALETTE)
    file = io.BytesIO()
    image.save(file, "PNG", bits=4, compress_level=4)
    return file.getvalue()


class ShardWriter:
    """Writes one shard; nothing of it is seen under its name before `close`."""

    def __init__(self, folder, number):
        self._path = Path(folder) / f"shard-{number:05d}"
        self._partial = self._path.with_suffix(".tar.partial")
        self._tar = tarfile.open(self._partial, "w", format=tarfile.USTAR_FORMAT)
        self._rows = {name: [] for name in COLUMNS}

    def add(self, identity, pose, shot):
        """Adds a `Shot`."""
        content = {"picture": jpeg(shot.picture), "mask": mask_png(shot.mask), "parts": parts_png(shot.parts)}
        for kind, data in content.items():
            info = tarfile.TarInfo(f"{identity:08d}-{pose}.{_SUFFIX[kind]}")
            info.size = len(data)
            start = self._tar.offset + tarfile.BLOCKSIZE
            self._tar.addfile(info, io.BytesIO(data))
            self._rows[kind].append((start, len(data)))
        values = dict(identity=identity, pose=pose, keypoints=shot.keypoints, hands=shot.hands, face=shot.face,
                      kind=shot.kind, shot=shot.shot, yaw=shot.yaw, camera=shot.camera, surface=shot.surface)
        for name, value in values.items():
            self._rows[name].append(value)

    def close(self):
        """Completes the shard."""
        self._tar.close()
        os.replace(self._partial, self._path.with_suffix(".tar"))
        index = self._path.with_suffix(".npz.partial")
        with open(index, "wb") as file:
            np.savez(file, **{name: np.array(rows, COLUMNS[name]) for name, rows in self._rows.items()})
        os.replace(index, self._path.with_suffix(".npz"))


def is_complete(folder, number):
    """Whether a shard has been written to its end."""
    return (Path(folder) / f"shard-{number:05d}.npz").exists()


def write_index(folder, **about):
    """Writes `index.json` for the shards that are complete."""
    folder = Path(folder)
    names = sorted(path.stem for path in folder.glob("shard-*.npz"))
    partial = folder / "index.json.partial"
    partial.write_text(json.dumps({"format": FORMAT, **about, "shards": names}, indent=1) + "\n")
    os.replace(partial, folder / "index.json")


class Shards:
    """A set that is read: columns as arrays over all pictures, pictures on demand from any process."""

    def __init__(self, folder):
        self.folder = Path(folder)
        try:
            self.about = json.loads((self.folder / "index.json").read_text())
        except (OSError, ValueError) as error:
            raise SetError(f"{folder}: a set with index.json expected: {error}") from error
        if self.about.get("format") != FORMAT:
            raise SetError(f"{folder}/index.json: format {FORMAT} expected, {self.about.get('format')!r} found")
        columns = {name: [] for name in COLUMNS}
        shard = []
        for number, name in enumerate(self.about["shards"]):
            with np.load(self.folder / f"{name}.npz") as index:
                for column in COLUMNS:
                    columns[column].append(index[column])
                shard.append(np.full(len(index["pose"]), number))
        if not shard:
            raise SetError(f"{folder}/index.json: at least one shard expected")
        self.shard = np.concatenate(shard)
        for name, rows in columns.items():
            setattr(self, f"_{name}" if name in _BYTES else name, np.concatenate(rows))
        self._files = {}

    def __len__(self):
        return len(self.shard)

    def __getstate__(self):
        return {**self.__dict__, "_files": {}}

    def bytes_of(self, number, kind="picture"):
        """The file as it was written: kind `picture`, `mask` or `parts`."""
        shard = int(self.shard[number])
        if shard not in self._files:
            self._files[shard] = os.open(self.folder / f"{self.about['shards'][shard]}.tar", os.O_RDONLY)
        start, size = getattr(self, f"_{kind}")[number]
        return os.pread(self._files[shard], int(size), int(start))

    def picture(self, number):
        """uint8 (size, size, 3)."""
        return np.asarray(Image.open(io.BytesIO(self.bytes_of(number))))

    def mask(self, number):
        """bool (size, size), true on the person."""
        return np.array(Image.open(io.BytesIO(self.bytes_of(number, "mask"))))

    def parts(self, number):
        """uint8 (size, size): the part map."""
        return np.array(Image.open(io.BytesIO(self.bytes_of(number, "parts"))))

    def groups(self):
        """For each identity, the numbers of its pictures."""
        order = np.lexsort((self.pose, self.identity))
        _, starts = np.unique(self.identity[order], return_index=True)
        return np.split(order, starts[1:])


def check(folder):
    """Reads every picture of a set and says what is wrong, or nothing; for use after copying."""
    data = Shards(folder)
    for number in range(len(data)):
        if not np.array_equal(person(data.parts(number)), data.mask(number)):
            raise SetError(f"{folder}: picture {number}: mask and part map differ")
        data.picture(number)
    return len(data)
