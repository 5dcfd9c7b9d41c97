import numpy as np
import pytest

from posed_recipe.people import scene
from posed_recipe.people.camera import Camera, distance_of_depth, look
from posed_recipe.people.motions import MOTIONS
from posed_recipe.people.posing import Arm, blend
from posed_recipe.people.skeleton import draw


@pytest.mark.parametrize("seed", range(30))
def test_scenes_have_light_from_the_front_and_a_whole_background(seed):
    made = scene.sample_scene(np.random.default_rng(seed), 64)
    assert made.background.shape == (64, 64, 3) and made.background.dtype == np.uint8
    assert np.linalg.norm(made.light.direction) == pytest.approx(1) and made.light.direction[1] > 0
    again = scene.sample_scene(np.random.default_rng(seed), 64)
    assert np.array_equal(made.background, again.background)


def test_backgrounds_differ():
    means = [scene.sample_scene(np.random.default_rng(seed), 32).background.mean((0, 1)) for seed in range(60)]
    assert np.std(means, 0).min() > 20


def test_a_camera_looks_at_its_middle_and_measures_along_the_view():
    camera = Camera(look(np.array([0, 1., 4]), np.array([0, 1., 0]), 3.), np.array([0, 1., 4]), 0)
    pixels, distances = camera.project(np.array([[0, 1., 0], [0, 1.2, 0], [.2, 1, 0]]), 256)
    assert np.allclose(pixels[0], 128) and distances[0] == pytest.approx(4)
    assert pixels[1, 1] < 128 and pixels[2, 0] > 128
    clip = camera.to_clip @ np.array([0, 1., 1.5, 1])
    assert distance_of_depth(clip[2] / clip[3] * .5 + .5) == pytest.approx(2.5)


def test_poses_blend():
    a, b = Arm(np.zeros(3), np.ones(3), 10., curls=np.zeros(5)), Arm(np.ones(3), np.ones(3), 30., curls=np.full(5, 8.))
    half = blend(a, b, .5)
    assert half.turn == 20 and np.allclose(half.reach, .5) and np.allclose(half.curls, 4)


@pytest.mark.parametrize("name", MOTIONS)
def test_motions_are_smooth(name):
    move = MOTIONS[name][0]
    frames = [move(t) for t in np.linspace(0, 1, 97)]
    for a, b in zip(frames, frames[1:]):
        for side in (0, 1):
            assert np.abs(a.arms[side].reach - b.arms[side].reach).max() < .16
            assert abs(a.legs[side].forward - b.legs[side].forward) < 6
        assert abs(a.yaw - b.yaw) < 5


def test_poses_are_drawn_in_their_colours_where_they_are_present():
    keypoints = np.zeros((18, 3), np.float32)
    keypoints[1], keypoints[2] = (128, 100, 1), (90, 100, .5)
    picture = draw(keypoints, 256)
    assert tuple(picture[100, 128]) == (255, 85, 0) and tuple(picture[99, 90]) == (255, 170, 0)
    assert tuple(picture[100, 110]) == (153, 0, 0)
    assert not picture[200:].any()
    assert not draw(np.zeros((18, 3)), 64).any()
