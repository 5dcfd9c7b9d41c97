"""Data sets in their layouts, options, latents on disk."""

import io
import json

import numpy as np
import pytest
import torch
from small import CPU
from PIL import Image

from posed_recipe.autoencoder.trainer import AutoencoderOptions
from posed_recipe.data.augment import colour_shifts, shift_colours
from posed_recipe.data.bank import GrowingBank, PictureBank
from posed_recipe.data.pictures import read_pictures
from posed_recipe.encoder import Preprocessor
from posed_recipe.errors import RecipeError
from posed_recipe.latents import LatentStore, PrecomputeOptions, precompute
from posed_recipe.latents.precompute import Encoders
from posed_recipe.options import configure, from_json, to_json
from posed_recipe.training import Deadline


def targets(pictures, source):
    return pictures.neighbours[pictures.offsets[source]:pictures.offsets[source + 1]].tolist()


def test_the_synthetic_set_pairs_everyone_with_themselves(people):
    pictures = read_pictures(people)
    assert len(pictures) == 32 and pictures.load(5).shape == (256, 256, 3)
    assert targets(pictures, 5) == [4, 6, 7]
    smaller = read_pictures(people, (128, 64))
    assert smaller.load(5).shape == (128, 64, 3)
    assert np.allclose(smaller.keypoints[5, :, :2] * [4, 2], pictures.keypoints[5, :, :2], atol=1e-3)


def pose_text(shift):
    points = np.arange(36, dtype=float).reshape(18, 2) * 4 + [60 + shift, 20]
    points[3] = -1
    return "\n".join(f"{x:.1f} {y:.1f}" for x, y in points)


NAMES = ["img/WOMEN/Tees/id_00000001/01_1_front", "img/WOMEN/Tees/id_00000001/01_2_side",
         "img/WOMEN/Tees/id_00000001/02_1_front", "img/WOMEN/Tees/id_00000001/02_3_back"]


def write_poses(folder):
    for number, name in enumerate(NAMES):
        path = folder / (name.replace("img/", "pose/") + ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pose_text(number))


def check_keypoints(keypoints):
    assert keypoints[0, 0].tolist() == pytest.approx([(60 - 40) * 256 / 176, 24, 1], abs=1e-3)
    assert keypoints[1, 0, 0] == pytest.approx((61 - 40) * 256 / 176, abs=1e-3)
    assert keypoints[0, 3].tolist() == [-1, -1, 0]


def test_the_lmdb_layout(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    write_poses(tmp_path)
    lines = [",".join(f"{NAMES[i]}.jpg" for i in row) for row in ((0, 1, 2), (3, 0))]
    (tmp_path / "train_pairs.txt").write_text("\n".join(lines) + "\n")
    with lmdb.open(str(tmp_path / "256-256"), map_size=1 << 24) as database, database.begin(write=True) as writing:
        for number, name in enumerate(NAMES):
            data = io.BytesIO()
            Image.new("RGB", (256, 256), (number * 50, 10, 20)).save(data, "PNG")
            writing.put(f"{name}.png".encode(), data.getvalue())
    pictures = read_pictures(tmp_path)
    assert len(pictures) == 4 and pictures.load(2)[0, 0].tolist() == [100, 10, 20]
    assert [targets(pictures, i) for i in range(4)] == [[3], [0], [0], []]
    check_keypoints(pictures.keypoints)


def test_the_benchmarks_folders(tmp_path):
    write_poses(tmp_path)
    for number, name in enumerate(NAMES):
        path = tmp_path / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (256, 256), (255, 255, 255))
        picture.paste((0, 60 * number, 0), (40, 0, 216, 256))
        picture.save(path, quality=95)
    pictures = read_pictures(tmp_path, split="all")
    assert [targets(pictures, i) for i in range(4)] == [[1], [0], [3], [2]]
    assert abs(int(pictures.load(2)[128, 2, 1]) - 120) < 12  # the white margin is cut off
    check_keypoints(pictures.keypoints)


@pytest.mark.parametrize("place", [".", "Eval", "Anno"])
def test_the_benchmarks_split_is_kept(tmp_path, place):
    write_poses(tmp_path)
    with pytest.raises(RecipeError, match="list_eval_partition.txt expected"):
        read_pictures(tmp_path)
    statuses = ["train", "train", "query", "gallery"]
    rows = [f"{name}.jpg id_00000001 {status}" for name, status in zip(NAMES, statuses, strict=True)]
    (tmp_path / place).mkdir(exist_ok=True)
    path = tmp_path / place / "list_eval_partition.txt"
    path.write_text("\n".join(["4", "image_name item_id evaluation_status", *rows]) + "\n")
    train, test = read_pictures(tmp_path), read_pictures(tmp_path, split="test")
    assert train.load.stems == NAMES[:2] and test.load.stems == NAMES[2:]
    with pytest.raises(RecipeError, match='"val"'):
        read_pictures(tmp_path, split="val")
    path.write_text("nonsense\nheading\na b\n")
    with pytest.raises(RecipeError, match="lines `image item status`"):
        read_pictures(tmp_path)


def test_the_tables_layout(tmp_path):
    names = ["fashionWOMENa.jpg", "fashionWOMENb.jpg"]
    (tmp_path / "train").mkdir()
    for name in names:
        Image.new("RGB", (176, 256)).save(tmp_path / "train" / name)
    xs, ys = [88] + [-1] * 17, [64] + [-1] * 17
    rows = [f"{name}: {json.dumps(ys)}: {json.dumps(xs)}" for name in names]
    (tmp_path / "fasion-resize-annotation-train.csv").write_text("name:keypoints_y:keypoints_x\n" + "\n".join(rows))
    (tmp_path / "fasion-resize-pairs-train.csv").write_text(f"from,to\n{names[1]},{names[0]}\n")
    pictures = read_pictures(tmp_path)
    assert targets(pictures, 1) == [0] and targets(pictures, 0) == []
    assert pictures.keypoints[0, 0].tolist() == [128, 64, 1] and pictures.keypoints[0, 1, 2] == 0
    assert pictures.load(0).shape == (256, 256, 3)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(RecipeError, match="expected, but there is none"):
        read_pictures(tmp_path / "nowhere")
    with pytest.raises(RecipeError, match="train_pairs.txt"):
        read_pictures(tmp_path)
    write_poses(tmp_path)
    (tmp_path / "pose/WOMEN/Tees/id_00000001/01_1_front.txt").write_text("1 2\n3 4\n")
    with pytest.raises(RecipeError, match="18 lines of two numbers"):
        read_pictures(tmp_path, split="all")


def test_a_bank_grows_with_the_shards(people, tmp_path):
    bank = PictureBank((256, 256), CPU.device, 40, threads=1)
    growing = GrowingBank(tmp_path, bank, seconds=0.01)
    growing.refresh()
    assert len(bank) == 0
    for name in ("shard-00000.tar", "shard-00000.npz"):
        (tmp_path / name).write_bytes((people / name).read_bytes())
    assert growing.start(16, Deadline(), lambda: True)
    growing.stop()
    for name in ("shard-00001.tar", "shard-00001.npz"):
        (tmp_path / name).write_bytes((people / name).read_bytes())
    growing.refresh()
    pictures = read_pictures(people)
    assert len(bank) == 32
    assert np.array_equal(bank.pictures[20].permute(1, 2, 0).numpy(), pictures.load(20))
    assert np.array_equal(bank.keypoints[20].numpy(), pictures.keypoints[20])


def test_the_first_colour_is_the_picture_itself_and_grey_stays_grey():
    matrices, offsets = colour_shifts(5, torch.Generator().manual_seed(0))
    picture = torch.randint(0, 256, (5, 3, 4, 4), dtype=torch.uint8)
    shifted = shift_colours(picture, matrices, offsets)
    assert torch.equal(shifted[0], picture[0]) and not torch.equal(shifted[1], picture[1])
    assert torch.allclose(matrices[1:].sum(dim=2), torch.ones(4, 3), atol=0.09)


@torch.no_grad()
def test_latents_are_what_the_autoencoder_makes_of_each_variant(latents, people, tiny_vae):
    pictures = read_pictures(people, (64, 64))
    image = torch.from_numpy(pictures.load(9).copy()).permute(2, 0, 1)[None]
    plain = tiny_vae.encode(image.float() / 127.5 - 1)[0]
    turned = tiny_vae.encode(image.flip(-1).float() / 127.5 - 1)[0]
    torch.testing.assert_close(latents.arrays["latents"][9, 0].float(), plain, atol=4e-3, rtol=1e-3)
    torch.testing.assert_close(latents.arrays["latents"][9, 2].float(), turned, atol=4e-3, rtol=1e-3)
    assert torch.equal(latents.arrays["thumbnails"][9, 0], Preprocessor.square(28).thumbnails(image)[0])
    assert latents.arrays["pose_latents"].shape == (32, 2, 4, 8, 8)


def test_precomputing_goes_on_where_it_stopped(people, tiny_vae, tmp_path, latents):
    class Stop(Deadline):
        passed = True

    options = PrecomputeOptions(colours=2, jitters=1, chunk=8, threads=1, precision="f32")
    pictures, encoders = read_pictures(people, (64, 64)), Encoders(Preprocessor.square(28))
    assert not precompute(pictures, tmp_path, tiny_vae, encoders, options, CPU, Stop())
    with pytest.raises((RecipeError, FileNotFoundError)):
        LatentStore(tmp_path)
    assert precompute(pictures, tmp_path, tiny_vae, encoders, options, CPU)
    found = LatentStore(tmp_path)
    for name, array in latents.arrays.items():
        assert torch.equal(found.arrays[name], array), name


def test_options_are_set_by_name():
    options = configure(AutoencoderOptions(), ["training.learning_rate=1", "widths=(8,16)", "pictures=none"])
    assert options.training.learning_rate == 1.0 and options.widths == (8, 16) and options.pictures is None
    assert from_json(AutoencoderOptions, json.loads(json.dumps(to_json(options)))) == options
    with pytest.raises(RecipeError, match='no option "training.lr"; there are optimizer, learning_rate'):
        configure(options, ["training.lr=1"])
    with pytest.raises(RecipeError, match='"batch" must be'):
        configure(options, ["batch=many"])
