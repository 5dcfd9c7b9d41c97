import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from posed_recipe.people import cli, make, motions, pairs, parts, sequences, shards, wardrobe
from posed_recipe.people.camera import SHOTS, sample_camera
from posed_recipe.people.landmarks import NAMES

JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "neck")


def every(shots):
    return [shot for taken in shots.values() for shot in taken]


def test_the_same_seed_makes_the_same_picture(studio, shots):
    again = list(studio.shots("train", 7, 3, 3))
    for a, b in zip(shots[3], again):
        assert np.array_equal(a.picture, b.picture) and np.array_equal(a.parts, b.parts)
        assert np.array_equal(a.keypoints, b.keypoints) and np.array_equal(a.hands, b.hands)


def test_visible_keypoints_are_inside_the_picture_and_on_the_person(shots):
    on, seen = 0, 0
    for shot in every(shots):
        for keypoint in shot.keypoints[shot.keypoints[:, 2] > 0]:
            assert (keypoint[:2] >= 0).all() and (keypoint[:2] < 128).all()
        for x, y, _ in shot.keypoints[shot.keypoints[:, 2] == 1]:
            seen += 1
            on += shot.mask[max(int(y) - 2, 0):int(y) + 3, max(int(x) - 2, 0):int(x) + 3].any()
    assert seen > 150 and on / seen > .99


def test_wrists_lie_on_arms_and_eyes_on_heads(shots):
    places = {"wrist": (parts.ARMS, parts.TOP, parts.OUTER), "eye": (parts.HEAD, parts.EYES, parts.HAIR, parts.ACCESSORY)}
    for name, allowed in places.items():
        hits = []
        for shot in every(shots):
            for number, keypoint in enumerate(shot.keypoints):
                if name in NAMES[number] and keypoint[2] == 1:
                    x, y = keypoint[:2].astype(int)
                    hits.append(np.isin(shot.parts[max(y - 1, 0):y + 2, max(x - 1, 0):x + 2], allowed).any())
        assert len(hits) > 8 and np.mean(hits) > .9, name


def test_people_fill_a_sensible_part_of_the_picture(shots):
    for shot in every(shots):
        assert .03 < shot.mask.mean() < .75
        assert shot.parts.max() <= parts.FURNITURE
        assert (shot.parts == parts.HEAD).any() or (shot.parts == parts.HAIR).any() or (shot.parts == parts.ACCESSORY).any()


def test_pictures_of_one_person_share_their_background(studio):
    for number in range(4):
        sitting = studio.person("train", 7, number)
        sitting.scene.light.floor_shadow = 0.  # else the floor darkens where people stand
        for seed in range(2):
            shot = sitting.shoot(np.random.default_rng(seed))
            bare = ~_grown(shot.parts > 0)
            assert bare.mean() > .1
            difference = np.abs(shot.picture.astype(int) - sitting.scene.background)[bare].max(-1)
            assert (difference <= 1).mean() > .998  # strands thinner than half a pixel are not in the mask


def _grown(mask):
    wide = np.pad(mask, 1)
    return wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:] | mask


def test_people_differ_from_each_other(shots):
    tops = [shot.picture[shot.parts == parts.TOP].mean(0) for taken in shots.values() for shot in taken[:1]
            if (shot.parts == parts.TOP).sum() > 20]
    assert len(tops) > 4 and np.std(tops, 0).max() > 15


@pytest.mark.parametrize("shot_number", range(4))
def test_cameras_take_in_what_they_say(studio, shot_number):
    sitting = studio.person("train", 7, 1)
    shot = sitting.shoot(np.random.default_rng(4), kind=0, shot=shot_number)
    y = shot.keypoints[:, 1]
    assert (y[[0, 14, 15]] > 0).all(), "the head is in every picture"
    knees_in, hips_in, ankles_in = (y[[a, b]].max() < 128 for a, b in ((9, 12), (8, 11), (10, 13)))
    assert (ankles_in, knees_in, hips_in) == {"full": (True, True, True), "knee": (False, True, True),
                                              "half": (False, False, hips_in), "bust": (False, False, False)}[SHOTS[shot_number]]


def test_camera_matrices_project_in_pixels(studio):
    sitting = studio.person("train", 7, 2)
    shot = sitting.shoot(np.random.default_rng(1))
    assert shot.camera.shape == (3, 4) and np.isfinite(shot.camera).all()
    foot = shot.camera @ np.array([0, 0, 0, 1])
    assert foot[2] > 1


def test_places_on_the_person_stay_with_it(studio):
    """Left and right shoulders, knees and the nose are the same places whoever it is, however it stands."""
    joints = {"nose": 0, "right shoulder": 2, "right knee": 9, "left shoulder": 5, "left knee": 12}
    found = {name: [] for name in joints}
    for number in range(8):
        sitting = studio.person("train", 7, number)
        for seed in range(3):
            shot = sitting.shoot(np.random.default_rng(seed), shot=0)
            assert shot.surface.shape == (32, 32, 4)
            for name, joint in joints.items():
                x, y, confidence = shot.keypoints[joint]
                row, column = (min(31, int(v / 128 * 32)) for v in (y, x))
                if confidence == 1 and parts.BACKGROUND < shot.surface[row, column, 3] < parts.FURNITURE:
                    place = shot.surface[row, column, :3] * parts.PLACE_STEP + parts.PLACE_ORIGIN
                    found[name].append(place[:2])
    middle = {name: np.median(places, 0) for name, places in found.items()}
    for name, places in found.items():
        assert len(places) >= 6
        away = np.linalg.norm(np.array(places) - middle[name], axis=1)  # a cell is 4 pixels, some 6 centimetres
        assert np.median(away) < .8, (name, away)
    for pair in ("shoulder", "knee"):
        right, left = middle[f"right {pair}"], middle[f"left {pair}"]
        assert abs(right[0] + left[0]) < .4 and abs(right[0]) > .5 and np.sign(right[0]) != np.sign(left[0])
    assert middle["nose"][1] > middle["left shoulder"][1] > middle["left knee"][1]


def test_heads_that_are_turned_away_hide_their_faces(studio):
    for number in range(4):
        sitting = studio.person("train", 7, number)
        seen = {}
        for yaw in (0, 180):
            pose = replace(motions.wave(0), yaw=yaw)
            pose, skeleton, found = sitting.stand(pose)
            shot = sitting.photograph(pose, skeleton, found, sample_camera(np.random.default_rng(0), found, 0))
            seen[yaw] = shot.keypoints[[0, 14, 15], 2]
            assert (shot.keypoints[1:14, 2] > 0).all(), "the body is there from any side"
        assert (seen[0] == 1).all() and (seen[180] == 0).all()


def test_a_stopped_set_goes_on_and_other_sets_are_refused(studio, tmp_path, monkeypatch):
    monkeypatch.setattr(make, "IDENTITIES_PER_SHARD", 2)
    make.make(tmp_path / "once", 4, 2, seed=5, size=128)
    make.make(tmp_path / "twice", 2, 2, seed=5, size=128)
    first = (tmp_path / "twice/shard-00000.tar").stat().st_mtime_ns
    make.make(tmp_path / "twice", 4, 2, seed=5, size=128)
    assert (tmp_path / "twice/shard-00000.tar").stat().st_mtime_ns == first
    for file in ("index.json", "shard-00000.tar", "shard-00001.tar", "shard-00001.npz"):
        assert (tmp_path / "once" / file).read_bytes() == (tmp_path / "twice" / file).read_bytes()
    assert shards.check(tmp_path / "once") == 8
    with pytest.raises(shards.SetError, match="seed is 5, not 6"):
        make.make(tmp_path / "once", 4, 2, seed=6, size=128)
    with pytest.raises(shards.SetError, match="begun with 4 identities"):
        make.make(tmp_path / "once", 2, 2, seed=5, size=128)


def test_pairs_are_what_posekit_reads(studio, tmp_path):
    assert cli.main(["pairs", "--out", str(tmp_path), "--count", "3", "--size", "128"]) == 0
    lines = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    for line in lines:
        assert np.array(line["keypoints"]).shape == (18, 3)
        assert np.array(line["hands"]).shape == (2, 21, 3) and np.array(line["face"]).shape == (70, 3)
        for name in ("source", "target", "mask"):
            assert Image.open(tmp_path / line[name]).size == (128, 128)
        assert np.asarray(Image.open(tmp_path / line["mask"])).any()
        assert sum(point[2] > 0 for point in line["keypoints"]) >= pairs.FEWEST_SEEN


def test_sequences_move_before_a_still_camera(studio):
    sitting = studio.person("heldout", 0, 0)
    film = sequences.film(sitting, "wave", 9, np.random.default_rng(0))
    assert len({shot.camera.tobytes() for shot in film}) == 1
    wrist = np.array([shot.keypoints[4, :2] for shot in film])
    assert wrist[0, 1] - wrist[:, 1].min() > 25, "the right hand goes up"
    assert np.abs(wrist[0] - wrist[-1]).max() < 2, "and comes down again"
    ankles = np.array([shot.keypoints[[10, 13], :2] for shot in film])
    assert np.abs(ankles - ankles[0]).max() < 2, "the feet stand still"


def test_every_cloth_has_a_program(studio):
    for pattern in wardrobe.PATTERNS:
        for printed in (False, True):
            studio.renderer.program("cloth", pattern, printed)


def test_a_gpu_or_mesa_is_named(studio):
    assert studio.renderer.device


def test_what_was_drawn_before_does_not_show(studio, shots):
    """A fresh person looks the same whoever sat there before."""
    for before in (0, 5):
        studio.person("train", 7, before)
        first = next(iter(studio.shots("train", 7, 6, 1)))
        assert np.array_equal(first.picture, shots[6][0].picture)
