"""The experiments ask the engine for each setting once, and read its answers rightly."""

import json
import sys

import pytest

from posed_recipe.errors import RecipeError
from posed_recipe.evaluation.experiments import SOLVERS, Engine, Setting, enough, experiments, plot

# Stands in for posekit: better with more evaluations, worse with more guidance; notes each call.
ENGINE = """#!{python}
import json, sys
flags = dict(zip(sys.argv[2::2], sys.argv[3::2]))
assert sys.argv[1] == "eval"
if flags["--data"] == "nowhere":
    sys.exit("posekit: nowhere: pairs expected")
open({log!r}, "a").write(flags["--json"] + "\\n")
psnr = 20 - 4 / int(flags["--nfe"]) - float(flags["--guidance"])
row = {{"output": psnr, "copy": 14.0, "reconstruction": 24.0}}
ssim = {{"output": psnr / 25, "copy": 0.5, "reconstruction": 0.9}}
json.dump({{"pairs": 3, "metrics": {{"psnr": row, "ssim": ssim}}}}, open(flags["--json"], "w"))
"""


@pytest.fixture
def posekit(tmp_path):
    path = tmp_path / "posekit"
    path.write_text(ENGINE.format(python=sys.executable, log=str(tmp_path / "calls")))
    path.chmod(0o755)
    return path


def test_each_setting_is_asked_for_once(posekit, tmp_path):
    pytest.importorskip("matplotlib")
    engine = Engine(posekit, "model", "data", tmp_path / "out")
    result = experiments(engine)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == len(set(calls)) == sum(map(len, SOLVERS.values())) + 5
    assert experiments(engine) == result and (tmp_path / "calls").read_text().splitlines() == calls
    euler = [row for row in result["nfe"] if row["solver"] == "euler"]
    assert euler[0]["psnr"] == 15 and euler[0]["psnr_closed"] == pytest.approx(0.1) and euler[0]["pairs"] == 3
    assert [row["guidance"] for row in result["guidance"]] == sorted({1.0, 1.05, 1.1, 1.2, 1.3, 1.4})
    # Of 18.94 dB at 65, 2 % is 0.38: 12 evaluations would do, 16 is the first that was asked for.
    assert result["enough"]["euler"] == 16
    text = (tmp_path / "out" / "experiments.md").read_text()
    assert "| euler | 4 | 0.7200 | 18.00 | 0.550 | 0.400 |" in text
    plot(result, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
    assert json.loads((tmp_path / "out" / "experiments.json").read_text()) == result


def test_enough_is_where_it_stays_good():
    rows = [{"nfe": nfe, "psnr": psnr, "ssim": 1.0} for nfe, psnr in ((1, 20.0), (2, 15.0), (4, 19.9), (8, 20.0))]
    assert enough(rows) == 4


def test_the_engines_words_are_passed_on(posekit, tmp_path):
    with pytest.raises(RecipeError, match="euler-nfe4-guidance1: posekit: nowhere: pairs expected"):
        Engine(posekit, "model", "nowhere", tmp_path).report(Setting("euler", 4, 1.0))
