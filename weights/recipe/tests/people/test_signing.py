"""Signing before a fixed camera."""

from dataclasses import replace

import numpy as np

from posed_recipe.people import sequences
from posed_recipe.people.landmarks import face_places
from posed_recipe.people.posing import SIGNING
from posed_recipe.people.signing import CALM, Mood, Performance
from posed_recipe.people.studio import SIGNING_STREAM, generator


def film(studio, number, frames, rate=25):
    sitting = studio.person("heldout", 3, number)
    return list(sitting.sign(generator("heldout", 3, number, SIGNING_STREAM), frames, rate))


def test_only_the_person_moves(studio):
    shots = film(studio, 1, 6, rate=2)
    assert len({shot.camera.tobytes() for shot in shots}) == 1 and {shot.kind for shot in shots} == {SIGNING}
    person = np.pad(np.any([shot.mask for shot in shots], axis=0), 1)
    background = ~(person[:-2, 1:-1] | person[2:, 1:-1] | person[1:-1, :-2] | person[1:-1, 2:])
    pictures = np.array([shot.picture.astype(int) for shot in shots])
    still = np.abs(pictures - pictures[0]).max(axis=(0, 3)) <= 1
    assert background.mean() > .2 and still[background].mean() > .99  # but for strands of hair and shadows on the floor
    wrists = np.array([shot.keypoints[[4, 7], :2] for shot in shots])
    assert np.ptp(wrists, axis=0).max() > 10
    hips = np.array([shot.keypoints[[8, 11], :2].mean(0) for shot in shots])
    assert np.ptp(hips, axis=0).max() < 3


def test_a_film_is_smooth_and_the_same_again(studio):
    shots = film(studio, 2, 10)
    hands = np.array([shot.hands[..., :2] for shot in shots])
    steps = np.abs(np.diff(hands, axis=0)).max(axis=(1, 2, 3))
    assert steps.max() < 20, "no hand jumps from frame to frame"
    fingers = hands[:, :, 8] - hands[:, :, 0]
    assert np.ptp(fingers, axis=0).max() > .5, "fingers move"
    again = film(studio, 2, 10)
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(shots, again))


def test_faces_open_their_mouths_raise_their_brows_and_shut_their_eyes(studio):
    sitting = studio.person("heldout", 3, 4)
    performance = Performance(np.random.default_rng(0), sitting.poser)
    pose, _ = performance.at(performance.rest)
    pose, skeleton, found = sitting.stand(replace(pose, yaw=0., head=np.zeros(3)))
    camera = sequences.sample_camera(np.random.default_rng(1), found, 3)
    taken = {name: sitting.photograph(pose, skeleton, found, camera, mood=mood) for name, mood in {
        "calm": CALM, "mouth": Mood(mouth=1.), "brows": Mood(brows=.08), "lids": Mood(lids=1.)}.items()}
    calm = taken["calm"]
    assert np.array_equal(calm.picture, sitting.photograph(pose, skeleton, found, camera).picture)
    seen = calm.face[:, 2] == 1
    assert seen[17:].mean() > .8, "a face from the front is seen"
    for name, points, other in (("mouth", slice(48, 68), slice(36, 48)), ("brows", slice(17, 27), slice(48, 68)),
                                ("lids", slice(36, 48), slice(48, 68))):
        shot = taken[name]
        low, high = (np.floor(f(calm.face[points, :2], axis=0)).astype(int) for f in (np.min, np.max))
        there = np.abs(shot.picture.astype(int) - calm.picture).max(-1) > 6
        region = np.zeros_like(there)
        region[max(low[1] - 4, 0):high[1] + 5, max(low[0] - 4, 0):high[0] + 5] = True
        assert there[region].any() and not there[~region].any(), name
        assert np.array_equal(shot.face[other], calm.face[other])
    lips = [taken[name].face[[62, 66], 1] for name in ("calm", "mouth")]
    assert np.diff(lips[1]) > np.diff(lips[0]) + .5, "the lips part"
    assert (taken["brows"].face[17:27, 1] < calm.face[17:27, 1]).mean() > .7


def test_face_points_stand_right_to_left_as_openpose_orders_them():
    places = face_places(CALM)
    assert places.shape == (70, 2)
    assert places[0, 0] < 0 < places[16, 0] and places[8, 1] == places[:, 1].min()
    assert (np.diff(places[17:27, 0]) > 0).all() and places[36, 0] < places[39, 0] < places[42, 0] < places[45, 0]
    assert places[48, 0] < 0 < places[54, 0] and places[51, 1] > places[57, 1] and places[68, 0] < 0 < places[69, 0]


def test_a_share_of_a_set_signs(studio):
    kinds = []
    for number in range(6):
        shots = list(studio.shots("train", 11, number, 2, signing=.5))
        kinds.append(len({shot.camera.tobytes() for shot in shots}) == 1)
    assert any(kinds) and not all(kinds)
    for a, b in zip(studio.shots("train", 11, 0, 1, signing=0.), studio.shots("train", 11, 0, 1)):
        assert np.array_equal(a.picture, b.picture)
