"""The drawn pose is the specified one."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from posed_recipe.data.augment import jitter
from posed_recipe.errors import RecipeError
from posed_recipe.pose import MIRRORED, POINTS, PoseDrawer, draw_poses, mirror, present


def poses(count, height, width, seed=0):
    """Random keypoints, some absent, some outside the picture."""
    random = np.random.default_rng(seed)
    points = random.uniform([-0.1 * width, -0.1 * height, 0], [1.1 * width, 1.1 * height, 1], (count, 18, 3))
    points[..., 2] = np.where(points[..., 2] < 0.15, 0, points[..., 2])
    return torch.from_numpy(points.astype(np.float32))


def test_equals_the_specified_drawing(rpfm):
    for height, width in ((256, 256), (256, 176), (64, 48)):
        keypoints = poses(4, height, width)
        found = draw_poses(keypoints, height, width).permute(0, 2, 3, 1).numpy().astype(int)
        for one, expected in zip(found, keypoints.numpy(), strict=True):
            assert np.abs(one - rpfm.draw_pose(expected, height, width)).max() <= 1


def test_equals_the_engines_drawing(goldens):
    """The pictures that the engine's drawer is tested by, hands and face among them."""
    cases = [case for case in json.loads((goldens / "vision" / "pose.json").read_text()) if "png" in case]
    assert {"hands and face", "gaps in hands", "a face, 512", "outside"} == {case["name"] for case in cases}
    for case in cases:
        nowhere = [[-1.0, -1.0, 0.0]]
        hands = torch.tensor([case.get(side) or nowhere * 21 for side in ("left", "right")])[None]
        face = torch.tensor(case.get("face") or nowhere * 70)[None]
        joints = torch.tensor(case["joints"])[None]
        found = draw_poses(joints, case["height"], case["width"], hands, face)
        expected = np.array(Image.open(io.BytesIO(base64.b64decode(case["png"]))))
        assert np.abs(found[0].permute(1, 2, 0).numpy().astype(int) - expected).max() <= 1
        bare = draw_poses(joints, case["height"], case["width"])
        assert torch.equal(bare, found) == (case["name"] == "outside")


def test_joints_in_one_place_are_no_trouble(rpfm):
    keypoints = torch.zeros(1, 18, 3)
    keypoints[0, :, :2], keypoints[0, :, 2] = 20.0, 1.0
    found = draw_poses(keypoints, 64, 64)[0].permute(1, 2, 0).numpy().astype(int)
    assert np.abs(found - rpfm.draw_pose(keypoints[0].numpy(), 64, 64)).max() <= 1


def test_mirroring_turns_the_picture_and_swaps_the_sides():
    keypoints = poses(3, 64, 64)
    keypoints[..., 0] = keypoints[..., 0].clamp(0, 64)
    turned = mirror(keypoints, 64)
    both = present(keypoints)
    torch.testing.assert_close(mirror(turned, 64)[both], keypoints[both])
    assert torch.equal(turned[:, 5, 1], keypoints[:, 2, 1])  # the right shoulder is the left one now
    once = torch.zeros(1, 18, 3)
    once[0, 4] = torch.tensor([10.0, 30.0, 1.0])  # a right wrist
    there = mirror(once, 64)[0]
    assert there[7].tolist() == [54.0, 30.0, 1.0] and present(there).sum() == 1


def test_all_points_are_drawn_and_mirrored_as_the_drawer_says(tmp_path):
    random = np.random.default_rng(2)
    points = torch.from_numpy(random.uniform(4, 60, (2, POINTS, 3)).astype(np.float32))
    points[..., 2] = 1
    body, hands, face = points[:, :18], points[:, 18:60].reshape(2, 2, 21, 3), points[:, 60:]
    assert torch.equal(PoseDrawer()(points, 64, 64), draw_poses(body, 64, 64))
    assert torch.equal(PoseDrawer(hands=True)(points, 64, 64), draw_poses(body, 64, 64, hands))
    both = PoseDrawer(hands=True, face=True)
    assert torch.equal(both(points, 64, 64), draw_poses(body, 64, 64, hands, face))
    assert torch.equal(both(body, 64, 64), draw_poses(body, 64, 64))  # bodies without hands
    assert sorted(MIRRORED) == list(range(POINTS))
    torch.testing.assert_close(mirror(mirror(points, 64), 64), points)
    turned = mirror(points, 64)
    assert turned[0, 18 + 8, 0] == 64 - points[0, 39 + 8, 0]  # the right index finger's tip is the left one's now
    assert turned[0, 60 + 48, 1] == points[0, 60 + 54, 1]  # and so are the mouth's corners
    both.save_pretrained(tmp_path)
    assert PoseDrawer.from_pretrained(tmp_path) == both
    assert PoseDrawer.from_pretrained(tmp_path / "nowhere") == PoseDrawer()
    (tmp_path / "config.json").write_text('{"body": "xmdpt"}')
    with pytest.raises(RecipeError, match="xmdpt"):
        PoseDrawer.from_pretrained(tmp_path)


def test_jitter_moves_and_loses_but_never_invents():
    keypoints = poses(200, 256, 256)
    moved = jitter(keypoints, torch.Generator().manual_seed(0), pixels=1.0, missing=0.1)
    assert not (present(moved) & ~present(keypoints)).any()
    lost = (present(keypoints) & ~present(moved)).float().mean() / present(keypoints).float().mean()
    assert 0.06 < lost < 0.16
    both = present(moved)
    assert 0.5 < (moved - keypoints)[both][:, :2].std() < 1.5
