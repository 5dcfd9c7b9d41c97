"""What warm starts of streams do to frames, with a trained model: time, likeness, flicker and drift.

    python Tests/Peers/warmstart.py --model weights/default --nfe 8

Sequences of the model's samples are streamed five times over by the daemon, with each warm start. Frames are compared
with those from noise by many evaluations, of the same seed: PSNR in the first round and in the last, where drift would
show, and flicker, the mean difference between two frames in a row over that of the compared ones. Prints a table.
Needs Pillow and NumPy.
"""

import argparse
import json
import math
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from running import running

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = 5
STARTS = (0.0, 0.25, 0.5, 0.75)


class Streams:
    """Streams of poses through a daemon."""

    def __init__(self, programs, address, folder):
        self.programs, self.address, self.folder = Path(programs), address, folder

    def frames(self, source, poses, nfe, start):
        """Frames [n, H, W, 3] as floats, and what `posectl stream` reports."""
        out = Path(tempfile.mkdtemp(dir=self.folder))
        report = json.loads(subprocess.run(
            [self.programs / "posectl", "stream", "--address", self.address, "--source", source, "--poses", poses,
             "--out", out, "--format", "raw", "--seed", "1", "--solver", "euler", "--nfe", str(nfe),
             "--guidance", "1", "--warm-start", str(start), "--json"],
            check=True, stdout=subprocess.PIPE).stdout)
        paths = sorted(out.glob("*.png"), key=lambda path: int("".join(filter(str.isdigit, path.stem))))
        pictures = np.stack([np.asarray(Image.open(path).convert("RGB"), np.float32) for path in paths])
        return pictures, report


def psnr(found, wanted):
    """Mean over frames, in decibels."""
    errors = np.square(found - wanted).mean(axis=(1, 2, 3))
    return float(np.mean([10 * math.log10(255**2 / max(error, 1e-9)) for error in errors]))


def restlessness(frames):
    """Mean absolute difference between frames in a row."""
    return float(np.abs(np.diff(frames, axis=0)).mean())


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / ".build/release"))
    parser.add_argument("--model", default=str(ROOT / "weights/default"))
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--nfe", type=int, default=8)
    parser.add_argument("--reference-nfe", type=int, default=65)
    parser.add_argument("--sequences", default="samples/*/sign.jsonl", help="of poses, in the model's folder")
    options = parser.parse_args()
    found = {start: [] for start in STARTS}
    with (tempfile.TemporaryDirectory(prefix="posed-warm-") as folder,
          running(options.bin, options.model, folder, options.backend) as address):
        streams = Streams(options.bin, address, folder)
        for poses in sorted(Path(options.model).glob(options.sequences)):
            source = poses.parent / "source.png"
            wanted, _ = streams.frames(source, poses, options.reference_nfe, 0)
            often = Path(folder) / "often.jsonl"
            often.write_text((poses.read_text().rstrip("\n") + "\n") * ROUNDS)
            count = len(wanted)
            for start in STARTS:
                frames, report = streams.frames(source, often, options.nfe, start)
                found[start].append((
                    report["poses"][-1]["nfe"], psnr(frames[:count], wanted), psnr(frames[-count:], wanted),
                    restlessness(frames[-count:]) / restlessness(wanted)))
    print("| warm start | evaluations | PSNR, first round | PSNR, last round | flicker |")
    print("| --- | --- | --- | --- | --- |")
    for start, rows in found.items():
        evaluations, first, last, flicker = (float(np.mean(column)) for column in zip(*rows, strict=True))
        print(f"| {start} | {evaluations:g} | {first:.2f} | {last:.2f} | {flicker:.2f} |")


if __name__ == "__main__":
    main()
