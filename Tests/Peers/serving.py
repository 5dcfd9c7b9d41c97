"""What RPC and scheduling cost: frames by the engine alone against frames by callers of the daemon, in turns.

    python Tests/Peers/serving.py --model FOLDER --backend cpu,blas --nfe 8 --rounds 3

`frame` is one frame in an open session in a known pose: `posekit bench --serve` makes it in a loop, a caller on the
Unix socket asks for it as raw RGB, one after the other. `eight` are frames in new poses: the engine's batches of
eight, and eight sessions whose streams keep two poses under way. `tls` is `frame` over TCP with TLS. `alone` is one stream
that keeps two poses under way: `gap_deviation` is the standard deviation of the gaps between its frames, as a share of
their mean.

A shared machine changes its pace for a minute at a time and longer. The engine is therefore measured before and after the daemon in
each round, and counts with the mean of both; a round in which they differ by more than 3 % is told and left out of the
medians. Prints a JSON report.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from running import running, running_with_tls

ROOT = Path(__file__).resolve().parent.parent.parent
STEADY = 0.03  # by how much the engine may differ before and after


class Bench:
    """The programs with one model on one backend."""

    def __init__(self, options, backend):
        self.bin, self.model, self.backend = Path(options.bin), str(Path(options.model).resolve()), backend
        self.seconds, self.threads = options.seconds, str(options.threads)
        self.settings = ["--solver", "euler", "--nfe", str(options.nfe), "--guidance", "1"]

    def engine(self):
        """Milliseconds of one frame and of eight: of the engine, and of the engine room without RPC."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "bench.json"
            subprocess.run(
                [self.bin / "posekit", "bench", "--model", self.model, "--backend", self.backend, "--serve",
                 "--batch", "8", "--threads", self.threads, "--seconds", str(self.seconds), "--json", report,
                 *self.settings],
                check=True, stdout=subprocess.DEVNULL)
            results = {entry["what"]: entry["median_ms"] for entry in json.loads(report.read_text())["results"]}
        return [results[f"serve.{who}.{what}"] for what in ("seen.c1", "c8") for who in ("engine", "frames")]

    def daemon(self):
        """Reports of callers: of one frame, the same with TLS, of one stream, and of eight."""
        with (tempfile.TemporaryDirectory(prefix="posed-serving-") as folder,
              running(self.bin, self.model, folder, self.backend, self.threads) as path):
            address = ["--address", path]
            one = self.call(address, ["--mode", "unary", "--distinct-poses", "1"])
            alone = self.call(address, ["--mode", "stream", "--distinct-poses", "100000"])
            many = self.call(
                address, ["--mode", "stream", "--concurrency", "8", "--distinct-poses", "100000"])
        with (tempfile.TemporaryDirectory(prefix="posed-serving-") as folder,
              running_with_tls(self.bin, self.model, folder, self.backend, self.threads) as address):
            secret = self.call(address, ["--mode", "unary", "--distinct-poses", "1"])
        return one, secret, alone, many

    def call(self, address, arguments):
        """A report of `posectl bench`."""
        output = subprocess.run(
            [self.bin / "posectl", "bench", *address, "--format", "raw", "--seed", "1",
             "--duration", f"{4 * self.seconds}s", "--json", *arguments, *self.settings],
            check=True, stdout=subprocess.PIPE).stdout
        return json.loads(output)


def measured(bench):
    """One round: the engine, callers of the daemon, the engine again."""
    before = bench.engine()
    one, secret, alone, many = bench.daemon()
    caller, rate = one["latency_ms"]["p50"], many["frames_per_second"]
    after = bench.engine()
    engine, room, eight, room_eight = (statistics.mean(both) for both in zip(before, after, strict=True))
    drift = [abs(a - b) / min(a, b) for a, b in zip(before, after, strict=True)]
    return {
        "steady": max(drift[0], drift[2]) <= STEADY,
        "frame": {"engine_ms": engine, "room_ms": room, "caller_ms": caller, "added_ms": caller - engine,
                  "transport_ms": one["overhead_ms"]["p50"], "drift": drift[0],
                  "stages_ms": {name: stage["p50"] for name, stage in one["stages_ms"].items()}},
        "tls": {"caller_ms": secret["latency_ms"]["p50"], "added_ms": secret["latency_ms"]["p50"] - engine},
        "alone": {"fps": alone["frames_per_second"], "gap_ms": alone["gap_ms"],
                  "gap_deviation": alone["gap_ms"]["deviation"] / alone["gap_ms"]["mean"]},
        "eight": {"engine_fps": 8000 / eight, "room_fps": 8000 / room_eight, "callers_fps": rate,
                  "share": rate * eight / 8000, "drift": drift[2]}}


def main():
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / ".build/release"))
    parser.add_argument("--model", required=True, help="a model's folder")
    parser.add_argument("--backend", default="cpu", help="one or several, with commas")
    parser.add_argument("--nfe", type=int, default=8)
    parser.add_argument("--threads", type=int, default=0, help="that compute; 0 takes all processors")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement; callers get four times as many")
    options = parser.parse_args()
    report = {}
    for backend in options.backend.split(","):
        bench = Bench(options, backend)
        rounds = [measured(bench) for _ in range(options.rounds)]
        steady = [one for one in rounds if one["steady"]]
        report[backend] = {"steady_rounds": len(steady), "rounds": rounds}
        if steady:
            report[backend] |= {
                "added_ms": statistics.median(one["frame"]["added_ms"] for one in steady),
                "added_with_tls_ms": statistics.median(one["tls"]["added_ms"] for one in steady),
                "gap_deviation": statistics.median(one["alone"]["gap_deviation"] for one in steady),
                "share": statistics.median(one["eight"]["share"] for one in steady)}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
