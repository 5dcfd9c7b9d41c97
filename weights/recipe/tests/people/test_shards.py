import json

import numpy as np
import pytest

from posed_recipe.people import shards
from posed_recipe.people.parts import FURNITURE, person


class FakeShot:
    """What a writer needs of a picture, drawn by chance."""

    def __init__(self, seed, size=32):
        rng = np.random.default_rng(seed)
        self.picture = np.repeat(np.repeat(rng.integers(0, 256, (4, 4, 3), np.uint8), size // 4, 0), size // 4, 1)
        self.parts = rng.choice(np.array([0, 1, 5, 14, FURNITURE], np.uint8), (size, size))
        self.keypoints = rng.random((18, 3)).astype(np.float32)
        self.hands = rng.random((2, 21, 3)).astype(np.float32)
        self.face = rng.random((70, 3)).astype(np.float32)
        self.camera = rng.random((3, 4)).astype(np.float32)
        self.surface = rng.integers(0, 256, (32, 32, 4), np.uint8)
        self.kind, self.shot, self.yaw = seed % 4, seed % 3, float(seed)

    @property
    def mask(self):
        return person(self.parts)


def written(folder, numbers, poses=2):
    made = {}
    for shard in numbers:
        writer = shards.ShardWriter(folder, shard)
        for identity in range(shard * 3, shard * 3 + 3):
            for pose in range(poses):
                made[identity, pose] = FakeShot(identity * 10 + pose)
                writer.add(identity, pose, made[identity, pose])
        writer.close()
    shards.write_index(folder, seed=1)
    return made


def test_what_is_written_is_read(tmp_path):
    made = written(tmp_path, [0, 1])
    data = shards.Shards(tmp_path)
    assert len(data) == 12 and shards.check(tmp_path) == 12
    for i in range(len(data)):
        shot = made[int(data.identity[i]), int(data.pose[i])]
        assert np.array_equal(data.mask(i), shot.mask)
        assert np.array_equal(data.parts(i), shot.parts)
        assert np.abs(data.picture(i).astype(int) - shot.picture).mean() < 6
        for column in ("keypoints", "hands", "face", "camera", "surface"):
            assert np.array_equal(getattr(data, column)[i], getattr(shot, column))
        assert (data.kind[i], data.shot[i], data.yaw[i]) == (shot.kind, shot.shot, shot.yaw)


def test_groups_hold_each_identity_in_the_order_of_its_poses(tmp_path):
    written(tmp_path, [1, 0], poses=3)
    data = shards.Shards(tmp_path)
    groups = data.groups()
    assert len(groups) == 6
    for group in groups:
        assert len(set(data.identity[group])) == 1
        assert list(data.pose[group]) == [0, 1, 2]


def test_tar_files_are_the_same_bytes_for_the_same_pictures(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        written(tmp_path / name, [0])
    for file in ("shard-00000.tar", "shard-00000.npz", "index.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_shard_that_was_not_closed_does_not_count(tmp_path):
    written(tmp_path, [0])
    writer = shards.ShardWriter(tmp_path, 1)
    writer.add(3, 0, FakeShot(3))
    assert shards.is_complete(tmp_path, 0) and not shards.is_complete(tmp_path, 1)
    shards.write_index(tmp_path)
    assert json.loads((tmp_path / "index.json").read_text())["shards"] == ["shard-00000"]


def test_masks_take_one_bit_a_pixel(tmp_path):
    mask = np.zeros((256, 256), bool)
    mask[40:200, 60:90] = True
    data = shards.mask_png(mask)
    assert data[24] == 1 and len(data) < 400  # byte 24 of a PNG: its bit depth


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(shards.SetError, match="index.json"):
        shards.Shards(tmp_path)
    (tmp_path / "index.json").write_text('{"format": 99, "shards": []}')
    with pytest.raises(shards.SetError, match="format 3 expected, 99 found"):
        shards.Shards(tmp_path)
    (tmp_path / "index.json").write_text('{"format": 3, "shards": []}')
    with pytest.raises(shards.SetError, match="at least one shard"):
        shards.Shards(tmp_path)
