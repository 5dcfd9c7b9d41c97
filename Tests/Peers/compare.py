"""Times the peers and `posekit bench` in turns, item by item, and prints who is how much faster.

    python3 Tests/Peers/compare.py --posekit .build/release/posekit --json compare.json

Machines are shared and noisy: everything that is compared on an item runs within the same minute,
in rounds (every peer, then posekit on every backend), and the figure is the median of the rounds.
`ratio` is the time of the best peer of the same type by ours; above 1 we are faster. `cpu/i8` is `cpu` with
`--dtype i8`, compared with PyTorch's dynamic quantization and with OpenVINO in 8 bits, all ranges calibrated
beforehand. A type that a processor has no instructions for can be left out: `--types f32,i8`.
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

import peers

DEFAULT = "velocity.S,velocity.B,dinov2,vae"


def gigaflops(item):
    """The item's multiplications and additions in matrix products and convolutions, in 1e9."""
    module, inputs = peers.build(item)
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(*inputs)
    return counter.get_total_flops() / 1e9


class Posekit:
    """`posekit bench`, one item at a time where the tool has `--only`."""

    def __init__(self, path, threads):
        self.path, self.threads = str(Path(path).resolve()), threads
        asked = subprocess.run([self.path, "bench", "--help"], capture_output=True, text=True)
        self.help = asked.stdout

    def bench(self, item, backend):
        """Median milliseconds and type, or None with the reason printed."""
        fields = item.split(".")
        backend, _, dtype = backend.partition("/")
        velocity = fields[0] == "velocity"
        arguments = ["bench", "--preset", fields[1] if velocity else "S", "--backend", backend,
                     "--batch", fields[-1][1:] if velocity else "1"]
        if dtype:
            arguments += ["--dtype", dtype]
        if "ref" in fields:
            arguments += ["--reference"]
        if "--only" in self.help:
            arguments += ["--only", item]
        if "--threads" in self.help:
            arguments += ["--threads", str(self.threads)]
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "bench.json"
            done = subprocess.run([self.path, *arguments, "--json", str(out)],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                print(f"{item} on {backend}: {done.stderr.strip()}", file=sys.stderr)
                return None
            for result in json.loads(out.read_text())["results"]:
                if result["what"] == item and result["backend"] == backend:
                    return result
        return None


def measure_item(item, rivals, ours, options, posekit):
    """Results of every peer and backend on one item."""
    runners = {}
    for backend in rivals:
        try:
            runners[backend] = peers.runner(item, backend, options.threads)
            runners[backend]()
        except Exception as error:  # a peer that cannot run an item is left out, not fatal
            runners.pop(backend, None)
            print(f"{item} on {backend}: {type(error).__name__}: {error}", file=sys.stderr)
    rounds = {}
    for _ in range(options.rounds):
        for backend, run in runners.items():
            median, runs = peers.measure(run, options.seconds / options.rounds, least=3)
            entry = rounds.setdefault(backend, (peers.BACKENDS[backend], []))
            entry[1].append((median, runs))
        for backend in ours:
            result = posekit.bench(item, backend)
            if result:
                entry = rounds.setdefault(backend, (result["dtype"], []))
                entry[1].append((result["median_ms"], result["runs"]))
    runners.clear()
    gc.collect()
    return [{"what": item, "backend": backend, "dtype": dtype,
             "median_ms": round(statistics.median(m for m, _ in medians), 3),
             "runs": sum(n for _, n in medians)}
            for backend, (dtype, medians) in rounds.items()]


def ratio(result, found):
    """How many times as fast as the best peer of the same type it is, in words."""
    known = [(found[name]["median_ms"], name) for name, dtype in peers.BACKENDS.items()
             if dtype == result["dtype"] and name in found]
    if not known:
        return "–"
    return f"**{min(known)[0] / result['median_ms']:.2f}×** {min(known)[1]}"


def ceilings(text):
    """`bf16=7,f32=0.5` -> {"bf16": 7.0, "f32": 0.5}"""
    pairs = [part.split("=") for part in text.split(",") if part]
    return {dtype: float(value) for dtype, value in pairs}


def row(item, results, rivals, ours, work, ceiling):
    found = {r["backend"]: r for r in results}
    shown = [*rivals, *ours]
    cells = [f"{found[b]['median_ms']:.1f}" if b in found else "–" for b in shown]
    cells += [ratio(found[backend], found) if backend in found else "–" for backend in ours]
    for backend in ours:
        rate = work / found[backend]["median_ms"] if backend in found else None  # TFLOP/s
        top = ceiling.get(found[backend]["dtype"]) if rate else None
        share = f" ({rate / top:.0%})" if top else ""
        cells += [f"{rate:.2f}{share}" if rate else "–"]
    return f"| {item} | " + " | ".join(cells) + " |"


def header(rivals, ours):
    names = [*rivals, *ours, *[f"{b}: ratio" for b in ours], *[f"{b}: TFLOP/s" for b in ours]]
    return "| ms | " + " | ".join(names) + " |\n| --- " + "| --- " * len(names) + "|"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posekit", required=True)
    parser.add_argument("--only", default=DEFAULT, help="prefixes of items, separated by commas")
    parser.add_argument("--backends", default="cpu/f32,cpu/bf16,cpu/i8", help="ours")
    parser.add_argument("--peers", default=",".join(peers.BACKENDS), help="empty for none")
    parser.add_argument("--types", default="f32,bf16,i8", help="of peers and of ours")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0, help="time of a peer on an item")
    parser.add_argument("--ceiling", default="", type=ceilings, metavar="bf16=7,f32=0.5",
                        help="the machine's TFLOP/s by type, for the share reached")
    parser.add_argument("--json", help="where all results go")
    options = parser.parse_args()
    posekit = Posekit(options.posekit, options.threads)
    types = options.types.split(",")
    rivals = [name for name in options.peers.split(",") if peers.BACKENDS.get(name) in types]
    ours = [name for name in options.backends.split(",") if (name.split("/") + types)[1] in types]
    everything = []
    print(header(rivals, ours), flush=True)
    for item in peers.select(options.only):
        results = measure_item(item, rivals, ours, options, posekit)
        everything += results
        print(row(item, results, rivals, ours, gigaflops(item), options.ceiling), flush=True)
        if options.json:
            Path(options.json).write_text(json.dumps({"results": everything}, indent=1) + "\n")


if __name__ == "__main__":
    main()
