import numpy as np
import pytest

from posed_recipe.people import rotations as r


def test_a_quarter_turn_about_y_takes_z_to_x():
    assert np.allclose(r.about(r.Y, 90) @ r.Z, r.X)


def test_from_vector_is_about_its_direction():
    v = np.array([10., -20, 5])
    assert np.allclose(r.from_vector(v), r.about(v / np.linalg.norm(v), np.linalg.norm(v)))
    assert np.allclose(r.from_vector(np.zeros(3)), np.eye(3))


def test_between_takes_one_direction_to_the_other():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.normal(size=(2, 3))
        turned = r.between(a, b) @ r.unit(a)
        assert np.allclose(turned, r.unit(b))


@pytest.mark.parametrize("angle", [-170, -30, 0, 45, 179])
def test_twist_is_found_behind_a_swing(angle):
    swing = r.about(r.X, 40)
    assert r.twist_angle(swing @ r.about(r.Y, angle), r.Y) == pytest.approx(angle, abs=1e-6)


def test_frames_are_rotations():
    frame = r.frame(np.array([1., 2, 3]), np.array([0., 1, 0]))
    assert np.allclose(frame.T @ frame, np.eye(3)) and np.linalg.det(frame) == pytest.approx(1)


def test_cross_is_numpys():
    a, b = np.array([1., 2, 3]), np.array([-2., .5, 4])
    assert np.allclose(r.cross(a, b), np.cross(a, b))
