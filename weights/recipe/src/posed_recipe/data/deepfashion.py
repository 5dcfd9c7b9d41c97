"""DeepFashion's In-shop pictures in the layouts that people have.

| layout | what lies in the folder |
| --- | --- |
| of PIDM and X-MDPT | `train_pairs.txt` (a line: target, then its sources), `pose/**/*.txt`, and the pictures as an LMDB (`256-256/data.mdb`) or as files (`img/**/*.jpg`) |
| of the In-shop benchmark | `img/…/id_00000002/02_1_front.jpg`, `pose/…/id_00000002/02_1_front.txt` and `list_eval_partition.txt` (here or in `Eval/` or `Anno/`), whose `train` is for training and whose `query` and `gallery` are the test; two pictures of one item in one colour make pairs |
| of PATN and its successors | `fasion-resize-pairs-train.csv` (`from,to`), `fasion-resize-annotation-train.csv` (`name:keypoints_y:keypoints_x`) and `train/*.jpg` |

Keypoint texts have 18 lines `x y` in DeepFashion's 256x256 pictures with margins of 40 columns, -1 for
absent; annotation lines are in its 176x256 pictures.
"""

import csv
import io
import json
import threading
from pathlib import Path

import numpy as np
from PIL import Image

from posed_recipe.data.pictures import PictureSet, fit, pairs_of_groups, pairs_of_list
from posed_recipe.errors import RecipeError

MARGIN, INNER, SIDE = 40, 176, 256


def read_deepfashion(folder, size, split="train"):
    """The data set in `folder`, by the layout that it has."""
    folder = Path(folder)
    pairs = folder / f"{split}_pairs.txt"
    tables = sorted(folder.glob(f"*pairs-{split}.csv"))
    if pairs.exists():
        return read_pair_list(folder, pairs, size)
    if tables:
        return read_tables(folder, tables[0], size, split)
    if (folder / "pose").is_dir():
        return read_tree(folder, size, split)
    raise RecipeError(
        f"{folder}: shards of the synthetic set, {pairs.name}, *pairs-{split}.csv or a folder pose/ expected, "
        f"but none is there")


# The three layouts


def read_pair_list(folder, path, size):
    """PIDM's: explicit pairs, pictures in an LMDB or in files."""
    rows = [line.strip().split(",") for line in path.read_text().splitlines() if line.strip()]
    stems = sorted({stem(name) for row in rows for name in row})
    keypoints, stems = poses_of(folder, stems, size)
    number = {name: i for i, name in enumerate(stems)}
    pairs = [
        (number[stem(source)], number[stem(row[0])])
        for row in rows for source in row[1:] if stem(source) in number and stem(row[0]) in number
    ]
    databases = sorted(folder.glob("*/data.mdb"))
    if databases:
        load = LMDBPictures(databases[0].parent, stems, size)
    else:
        load = FilePictures(folder, stems, size)
    return PictureSet(tuple(size), keypoints, load, *pairs_of_list(pairs, len(stems)), name=str(folder))


def read_tree(folder, size, split):
    """The benchmark's: pictures of one item (folder) in one colour (the number that names begin with)."""
    texts = sorted((folder / "pose").rglob("*.txt"))
    stems = [f"img/{path.relative_to(folder / 'pose').with_suffix('').as_posix()}" for path in texts]
    if split != "all":
        kept = partition(folder, split)
        stems = [name for name in stems if name in kept]
        if not stems:
            raise RecipeError(f"{folder}: none of the {len(texts)} pictures with a pose is in the split {split}")
    keypoints, stems = poses_of(folder, stems, size)
    groups = {}
    for number, name in enumerate(stems):
        item, _, file = name.rpartition("/")
        groups.setdefault((item, file.split("_")[0]), []).append(number)
    load = FilePictures(folder, stems, size)
    return PictureSet(
        tuple(size), keypoints, load, *pairs_of_groups(groups.values(), len(stems)), name=str(folder))


STATUSES = {"train": {"train"}, "test": {"query", "gallery"}}


def partition(folder, split):
    """Names without ending of a split's pictures, by the benchmark's own list."""
    if split not in STATUSES:
        raise RecipeError(f'the split must be train, test or all, but it is "{split}"')
    found = [path for place in (".", "Eval", "Anno") if (path := folder / place / "list_eval_partition.txt").exists()]
    if not found:
        raise RecipeError(
            f"{folder}: the benchmark's list_eval_partition.txt expected here or in Eval/, but there is none; without "
            "it nobody knows which people are the test's (--split all takes all of them)")
    rows = [line.split() for line in found[0].read_text().splitlines()[2:] if line.strip()]
    if not rows or any(len(row) != 3 for row in rows):
        raise RecipeError(f"{found[0]}: a count, a heading, then lines `image item status` expected")
    return {stem(name) for name, _, status in rows if status in STATUSES[split]}


def read_tables(folder, path, size, split):
    """PATN's: tables of pairs and of keypoints."""
    annotations = sorted(folder.glob(f"*annotation-{split}.csv"))
    if not annotations:
        raise RecipeError(f"{folder}: {path.name} is there, but no *annotation-{split}.csv")
    poses = {}
    for line in annotations[0].read_text().splitlines()[1:]:
        name, ys, xs = line.split(":")
        points = np.stack([json.loads(xs), json.loads(ys)], axis=1).astype(np.float32)
        poses[name.strip()] = in_pixels(points, size)
    names = sorted(poses)
    number = {name: i for i, name in enumerate(names)}
    with open(path, newline="") as file:
        pairs = [
            (number[row["from"]], number[row["to"]]) for row in csv.DictReader(file)
            if row["from"] in number and row["to"] in number
        ]
    load = FilePictures(folder, [f"{split}/{Path(name).stem}" for name in names], size)
    keypoints = np.stack([poses[name] for name in names])
    return PictureSet(tuple(size), keypoints, load, *pairs_of_list(pairs, len(names)), name=str(folder))


# Poses


def stem(name):
    """A picture's name without its ending."""
    return name.strip().rsplit(".", 1)[0]


def poses_of(folder, stems, size):
    """Keypoints of the pictures whose pose text is there, and their names."""
    found, names = [], []
    for name in stems:
        path = folder / (name.replace("img/", "pose/", 1) + ".txt")
        if path.exists():
            found.append(read_pose_text(path, size))
            names.append(name)
    if not found:
        raise RecipeError(f"{folder}: keypoints in pose/**/*.txt expected, but there are none")
    return np.stack(found), names


def read_pose_text(path, size):
    """18 lines `x y` -> float32 [18, 3] in pixels of `size`."""
    try:
        points = np.loadtxt(path, dtype=np.float32, ndmin=2)[:, :2]
    except ValueError as error:
        raise RecipeError(f"{path}: 18 lines of two numbers expected, but {error}") from error
    if points.shape != (18, 2):
        raise RecipeError(f"{path}: 18 lines of two numbers expected, but there are {len(points)}")
    return in_pixels(np.where(points < 0, points, points - [MARGIN, 0]), size, points)


def in_pixels(points, size, raw=None):
    """Points [18, 2] of 176x256 to [18, 3] of `size`; a negative raw coordinate means absent."""
    there = ((points if raw is None else raw) >= 0).all(axis=1)
    scaled = points * np.asarray([size[1] / INNER, size[0] / SIDE])
    there &= (scaled >= 0).all(axis=1)
    filled = np.where(there[:, None], scaled, -1)
    return np.concatenate([filled, there[:, None]], axis=1).astype(np.float32)


# Pictures


class FilePictures:
    """Pictures in files. Square ones have DeepFashion's white margins, which are cut off."""

    def __init__(self, folder, stems, size):
        self.roots = [folder, folder / "Img", folder / "fashion_resize"]
        self.stems, self.size = stems, size

    def __call__(self, i):
        name = self.stems[i]
        for root in self.roots:
            for ending in (".jpg", ".png", ".jpeg"):
                path = root / (name + ending)
                if path.exists():
                    return fit(without_margins(Image.open(path)), self.size)
        raise RecipeError(f"{self.roots[0]}/{name}: a .jpg or .png expected, but there is none")


class LMDBPictures:
    """Pictures in an LMDB under the names `img/….png`; they have no margins any more."""

    def __init__(self, folder, stems, size):
        try:
            import lmdb
        except ImportError as error:
            raise RecipeError(f"{folder}: reading an LMDB needs `pip install posed-recipe[lmdb]`") from error
        self.folder, self.stems, self.size = folder, stems, size
        self.database = lmdb.open(str(folder), readonly=True, lock=False, readahead=False, max_readers=1024)
        self.local = threading.local()

    def __call__(self, i):
        if not hasattr(self.local, "transaction"):
            self.local.transaction = self.database.begin()
        data = self.local.transaction.get(f"{self.stems[i]}.png".encode())
        if data is None:
            raise RecipeError(f"{self.folder}: no picture {self.stems[i]}.png in the LMDB")
        return fit(Image.open(io.BytesIO(data)), self.size)


def without_margins(picture):
    """The inner 176 of 256 columns of a square picture."""
    if picture.width != picture.height:
        return picture
    margin = round(picture.width * MARGIN / SIDE)
    return picture.crop((margin, 0, picture.width - margin, picture.height))
