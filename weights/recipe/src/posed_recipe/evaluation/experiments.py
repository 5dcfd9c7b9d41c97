"""The paper's open questions, asked of a model through `posekit eval`: how many evaluations, by which solver,
under which guidance. Every answer is a report in a folder; those that are there already are not asked for again.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from posed_recipe.errors import RecipeError
from posed_recipe.weights import write_json

SOLVERS = {"euler": (1, 2, 3, 4, 6, 8, 16, 32, 65), "heun": (2, 4, 6, 8, 16, 32, 64), "rk4": (4, 8, 16, 32, 64)}
GUIDANCES = (1.0, 1.05, 1.1, 1.2, 1.3, 1.4)
METRICS = ("ssim", "psnr", "ssim_mask", "psnr_mask")
TOLERANCE = 0.02


@dataclass(frozen=True)
class Setting:
    """One way to sample."""

    solver: str
    nfe: int
    guidance: float

    @property
    def name(self):
        """Of its report's file."""
        return f"{self.solver}-nfe{self.nfe}-guidance{self.guidance:g}"


class Engine:
    """`posekit eval` on one model and one set of pairs; reports go to a folder."""

    def __init__(self, posekit, model, data, folder, limit=None, backend=None):
        self.posekit, self.folder = str(posekit), Path(folder)
        self.arguments = ["--model", str(model), "--data", str(data), "--seed", "0"]
        self.arguments += [] if limit is None else ["--limit", str(limit)]
        self.arguments += [] if backend is None else ["--backend", backend]
        self.folder.mkdir(parents=True, exist_ok=True)

    def report(self, setting):
        """What `posekit eval --json` wrote of that setting."""
        path = self.folder / f"{setting.name}.json"
        if not path.exists():
            done = subprocess.run(
                [self.posekit, "eval", *self.arguments, "--solver", setting.solver, "--nfe", str(setting.nfe),
                 "--guidance", str(setting.guidance), "--json", str(path)],
                capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RecipeError(f"posekit eval, {setting.name}: {done.stderr.strip()}")
        return json.loads(path.read_text())


def experiments(engine, guidance=1.0, nfe_of_guidance=16):
    """Asks everything; gives rows for each question, and the least number of evaluations that is enough."""
    over_nfe = [Setting(solver, nfe, guidance) for solver, counts in SOLVERS.items() for nfe in counts]
    over_guidance = [Setting("euler", nfe_of_guidance, scale) for scale in GUIDANCES]
    rows = {}
    for setting in tqdm(dict.fromkeys(over_nfe + over_guidance), desc="experiments", disable=None):
        rows[setting] = row_of(setting, engine.report(setting))
    result = {
        "nfe": [rows[setting] for setting in over_nfe],
        "guidance": [rows[setting] for setting in over_guidance],
        "enough": {solver: enough([rows[s] for s in over_nfe if s.solver == solver]) for solver in SOLVERS},
    }
    write_json(engine.folder / "experiments.json", result)
    (engine.folder / "experiments.md").write_text(tables(result))
    return result


def row_of(setting, report):
    """A setting and its means, with the share of the gap between copying and reconstructing that it closes."""
    row = {"solver": setting.solver, "nfe": setting.nfe, "guidance": setting.guidance, "pairs": report["pairs"]}
    for metric in METRICS:
        if metric in report["metrics"]:
            found = report["metrics"][metric]
            gap = found["reconstruction"] - found["copy"]
            row[metric] = found["output"]
            row[f"{metric}_closed"] = (found["output"] - found["copy"]) / gap if gap else None
    return row


def enough(rows):
    """The least NFE from which on SSIM and PSNR stay within 2 % of those of the most evaluations."""
    most, least = rows[-1], None
    for row in reversed(rows):
        if any(row[metric] < (1 - TOLERANCE) * most[metric] for metric in ("ssim", "psnr")):
            break
        least = row["nfe"]
    return least


def tables(result):
    """Both questions' answers in Markdown."""
    parts = []
    for question, keys in (("nfe", ("solver", "nfe")), ("guidance", ("guidance",))):
        metrics = [metric for metric in METRICS if metric in result[question][0]]
        parts.append(f"| {' | '.join(keys)} | {' | '.join(metrics)} | SSIM's gap closed | PSNR's gap closed |")
        parts.append("| --- " * (len(keys) + len(metrics) + 2) + "|")
        for row in result[question]:
            cells = [f"{row[key]:g}" if isinstance(row[key], float) else str(row[key]) for key in keys]
            cells += [f"{row[metric]:.4f}" if "ssim" in metric else f"{row[metric]:.2f}" for metric in metrics]
            cells += [f"{row[f'{metric}_closed']:.3f}" for metric in ("ssim", "psnr")]
            parts.append(f"| {' | '.join(cells)} |")
        parts.append("")
    return "\n".join(parts)


def plot(result, path):
    """SSIM and PSNR over the number of evaluations, a line for each solver; needs matplotlib."""
    try:
        import matplotlib
    except ImportError as error:
        raise RecipeError("plots need `pip install posed-recipe[plots]`") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for axis, metric, label in zip(axes, ("ssim", "psnr"), ("SSIM", "PSNR, dB"), strict=True):
        for solver in SOLVERS:
            rows = [row for row in result["nfe"] if row["solver"] == solver]
            axis.plot([row["nfe"] for row in rows], [row[metric] for row in rows], marker="o", ms=3, label=solver)
        axis.set(xscale="log", xlabel="velocity evaluations", ylabel=label)
        axis.set_xticks([1, 2, 4, 8, 16, 32, 64], labels=["1", "2", "4", "8", "16", "32", "64"])
        axis.grid(alpha=0.3)
    axes[0].legend()
    figure.savefig(path, dpi=110)
