"""The source's own pixels in decoded pictures."""

import base64
import json
import sys

import numpy as np
import pytest

from posed_recipe.detail import SourceBlend
from posed_recipe.errors import RecipeError


def test_equals_the_goldens(goldens, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(goldens), *sys.path])
    make_detail = pytest.importorskip("make_detail")
    cases = json.loads((goldens / "vision" / "source-blend.json").read_text())["cases"]
    assert len(cases) == 3
    for case in cases:
        pictures = [one[None] for one in make_detail.pictures(case["width"], case["height"])]
        made = SourceBlend(case["sigma"], case["tolerance"], case["flatness"])(*pictures)[0]
        expected = np.frombuffer(base64.b64decode(case["expected"]), np.uint8).reshape(made.shape)
        assert np.abs(made.astype(int) - expected).max() <= 1 and (made != expected).mean() < 0.002


def test_takes_the_source_where_the_picture_is_its_reconstruction_and_nowhere_else():
    random = np.random.default_rng(0)
    source, soft = (random.integers(0, 256, (2, 64, 48, 3), np.uint8) for _ in range(2))
    picture = soft.copy()
    picture[:, :32] = 255 - soft[:, :32]
    made = SourceBlend(4, 0.1)(picture, source, soft)
    assert np.array_equal(made[:, 52:], source[:, 52:]) and np.array_equal(made[:, :20], picture[:, :20])
    assert np.array_equal(SourceBlend(4, 0.1)(soft, source, soft), source)


def test_is_a_part_of_a_folder(tmp_path):
    part = tmp_path / "detail_decoder"
    assert SourceBlend.from_pretrained(part) is None
    SourceBlend(5.0, 0.2, 0.1).save_pretrained(part)
    assert SourceBlend.from_pretrained(part) == SourceBlend(5.0, 0.2, 0.1)
    (part / "config.json").write_text('{"_class_name": "Mender"}')
    with pytest.raises(RecipeError, match="Mender"):
        SourceBlend.from_pretrained(part)
