"""Compares `posekit eval --fid` over a whole set with PyPI's pytorch-fid, with weights made by a formula.

    python3 Tests/Goldens/check_fid.py --posekit .build/release/posekit --pairs 300

Makes pairs of pictures that differ in colour and grain, has the small model evaluated on them, kills that in the
middle and lets it go on, and computes the distance of sources and targets (`copy` in the report) from the same files.
Then one picture is taken away: of the first 16 pairs that one must be listed, and the exit status be 1. Needs what
`export_inception.py` needs.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from pytorch_fid import fid_score
from safetensors.torch import save_file

from export_inception import HERE, network

SIDE = 64


def pictures(folder, count):
    """Pairs of pictures, and the list of them."""
    draw = np.random.default_rng(5)
    (folder / "source").mkdir(parents=True)
    (folder / "target").mkdir()
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    joints = [[20 + joint, 4 + 3 * joint, 1] for joint in range(18)]
    lines = []
    for index in range(count):
        colour, wave = draw.uniform(60, 190, 3), draw.uniform(0.05, 0.6, 2)
        base = colour + 50 * np.sin(wave[0] * columns + wave[1] * rows)[..., None]
        for kind, shift, grain in (("source", 0, 6), ("target", 12, 14)):
            values = base + shift + draw.normal(0, grain, (SIDE, SIDE, 3))
            Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(folder / kind / f"{index:04}.png")
        lines.append(json.dumps({"source": f"source/{index:04}.png", "target": f"target/{index:04}.png",
                                 "keypoints": joints}))
    (folder / "pairs.jsonl").write_text("\n".join(lines) + "\n")


def weights(model, folder):
    """The network's weights as a folder for --fid."""
    folder.mkdir()
    kept = {name: tensor.contiguous() for name, tensor in model.items() if ".conv." in name or ".bn." in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"_class_name": "FIDInceptionV3"}) + "\n")


def interrupted(command, journal, lines):
    """Runs the command, kills it once so many lines are in its journal, and runs it again to its end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") >= lines):
        time.sleep(0.1)
    process.kill()
    process.wait()
    kept = journal.read_bytes().count(b"\n")
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return kept, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posekit", required=True)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--threads", type=int, default=0, help="of posekit; 0 takes all processors")
    options = parser.parse_args()
    model, state = network()
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        pictures(work / "data", options.pairs)
        weights(state, work / "inception")
        report = work / "report.json"
        command = [options.posekit, "eval", "--model", str(HERE / "tiny"), "--data", str(work / "data"), "--fid",
                   str(work / "inception"), "--json", str(report), "--steps", "1", "--batch", "16", "--threads",
                   str(options.threads)]
        kept, seconds = interrupted(command, work / "report.json.partial", options.pairs // 2)
        ours = json.loads(report.read_text())["metrics"]["fid"]["copy"]
        sides = [fid_score.compute_statistics_of_path(str(work / "data" / kind), model, 50, 2048, "cpu", 1)
                 for kind in ("source", "target")]
        theirs = float(fid_score.calculate_frechet_distance(*sides[0], *sides[1]))
        (work / "data/target/0003.png").unlink()
        report.unlink()
        failed = subprocess.run(
            [*command, "--limit", "16"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        found = json.loads(report.read_text())
    print(json.dumps({
        "pairs": options.pairs, "fid": ours, "pytorch_fid": theirs, "relative": abs(ours - theirs) / abs(theirs),
        "kept_when_killed": kept, "seconds_to_go_on": seconds, "status_with_a_failed_pair": failed.returncode,
        "failed": found["failed"], "sentence": failed.stderr.strip()}, indent=2))


if __name__ == "__main__":
    main()
