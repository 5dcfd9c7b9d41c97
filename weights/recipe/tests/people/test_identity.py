import numpy as np
import pytest

from posed_recipe.people import cuts
from posed_recipe.people.identity import HAIR_STYLES, generator, sample_identity
from posed_recipe.people.uniforms import SIZES, person
from posed_recipe.people.wardrobe import DETAILS, PATTERNS, PRINTS

LOCAL = ["nose-scale-vert-incr", "l-eye-scale-incr", "r-eye-scale-incr", "stomach-pregnant-incr", "l-hand-scale-incr"]


def identities(count, split="train", seed=0):
    return [sample_identity(generator(split, seed, number), number, LOCAL) for number in range(count)]


def summary(identity):
    return identity.phenotype["weight"], identity.seed, identity.hair.style, identity.outfit.cloths["top"].pattern


def test_the_same_seed_draws_the_same_people():
    assert [summary(i) for i in identities(20)] == [summary(i) for i in identities(20)]


def test_splits_seeds_and_numbers_draw_other_people():
    drawn = [summary(i) for split in ("train", "heldout") for seed in (0, 1) for i in identities(50, split, seed)]
    assert len(set(drawn)) == 200


def test_streams_of_one_identity_are_apart():
    assert generator("train", 0, 1, 1).random() != generator("train", 0, 1, 2).random()


def test_a_few_hundred_people_wear_everything():
    people = identities(600)
    assert {i.hair.style for i in people} == set(HAIR_STYLES)
    cloths = [cloth for i in people for cloth in i.outfit.cloths.values()]
    assert {cloth.pattern for cloth in cloths} == set(PATTERNS)
    assert {cloth.print for cloth in cloths} == set(PRINTS)
    assert {cloth.detail for cloth in cloths} == set(DETAILS)
    assert {i.outfit.collar.kind for i in people if i.outfit.collar} == {"roll", "shirt", "hood", "scarf"}


@pytest.mark.parametrize("number", range(40))
def test_everybody_is_covered_by_something_below_the_waist(number):
    outfit = identities(number + 1)[number].outfit
    assert (outfit.trousers is None) != (outfit.skirt is None)
    assert {"top", "bottom"} <= set(outfit.cloths)


def test_both_sides_of_a_face_change_alike():
    local = identities(1)[0].local
    assert local["l-eye-scale-incr"] == local["r-eye-scale-incr"]
    assert "l-hand-scale-incr" not in local


def test_the_block_of_a_person_has_the_size_of_the_shaders():
    for identity in identities(50):
        data = person(identity)
        assert len(data) == SIZES["Person"] and np.isfinite(np.frombuffer(data, np.float32)).all()


def test_hems_and_sleeves_cut_where_they_say():
    outfit = next(i.outfit for i in identities(200) if i.outfit.top.sleeve > 1.8)
    at = np.array([[0, outfit.top.hem + .1, .8], [0, outfit.top.hem - .1, .8], [3.8, 2.7, 1.3], [4.6, 1.6, 2.7]])
    limb = np.array([[-.3, 0], [-.3, 0], [1.7, 1], [2.8, 1]])
    assert (cuts.top(outfit, at, limb) > 0).tolist() == [True, False, True, False]


def test_hair_grows_on_the_crown_and_the_back_but_not_on_the_face_or_the_ears():
    hair = identities(1)[0].hair
    hair.front, hair.nape, hair.shaved = 8.0, 6.6, 0.0
    at = np.array([[0, 8.4, .2], [0, 7.2, -.35], [.74, 7.6, .4], [0, 7.5, 1.4], [.85, 7.15, .5], [0, 6.3, -.1]])
    assert (cuts.hairline(hair, at) > 0).tolist() == [True, True, True, False, False, False]
