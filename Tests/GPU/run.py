"""Proves and measures the CUDA backend on a machine with a GPU. Builds nothing.

    python3 Tests/GPU/run.py --bundle .gpu --json gpu.json
    python3 Tests/GPU/run.py --bundle .gpu --json gpu.json --stages bench --only velocity.B --minutes 9

The bundle is what Tests/GPU/bundle makes. Stages, in order, each of which adds to the report when it is done:
`conformance`, `parity` (parts and a picture of the tests' small model against its goldens and the blas backend),
`determinism`, `bench` (posekit and its peers in PyTorch, item by item in turns), `paper` (the setting of the paper:
size B, 65 evaluations, guidance 1.1, batches of 8) and `sanitizer` (only if asked for). What does not fit into
`--minutes` is left out and named in the report. NVRTC and cuBLASLt are those of this Python's packages, if it has
them. `--stand-in FOLDER` rehearses with the driver's stand-in; nothing is timed then. Exit status 1 where a stage
failed.
"""

import argparse
import json
import os
import platform
import shutil
import site
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOLDENS = HERE.parent / "Goldens"
STAGES = ("conformance", "parity", "determinism", "bench", "paper")
PARTS = ("vae.encode", "vae.decode", "source_encoder", "pose_encoder", "condition", "velocity")
PART_BOUND = {"bf16": 2e-2, "f32": 1e-4}
PICTURE_BOUND = {"bf16": 35.0, "f32": 60.0}  # decibels
BATCHES = {"S": (1, 2, 8, 32), "B": (1, 2, 8, 32), "L": (1, 2, 8, 32)}


class Machine:
    """The bundle's posekit, with an environment in which it finds its libraries."""

    def __init__(self, bundle, stand_in):
        self.posekit = str(Path(bundle).resolve() / "posekit")
        self.environment = dict(os.environ)
        self.environment["LD_LIBRARY_PATH"] = ":".join(
            [str(Path(bundle).resolve())] + self.environment.get("LD_LIBRARY_PATH", "").split(":"))
        folders = [stand_in] if stand_in else site.getsitepackages()
        known = self.environment.get("POSED_CUDA_PATH", "").split(":")
        self.environment["POSED_CUDA_PATH"] = ":".join(filter(None, [*map(os.path.abspath, folders), *known]))

    def run(self, *arguments, environment=None, limit=600):
        """(status, stdout, stderr); a run that outlasts the limit has status 124."""
        try:
            done = subprocess.run(
                [self.posekit, *map(str, arguments)], capture_output=True, text=True, timeout=limit,
                env={**self.environment, **(environment or {})})
        except subprocess.TimeoutExpired:
            return 124, "", f"more than {limit} seconds"
        return done.returncode, done.stdout, done.stderr

    def describe(self):
        _, backends, _ = self.run("backends", "list", "--json")
        rows = json.loads(backends)["backends"] if backends else []
        card = ""
        if shutil.which("nvidia-smi"):
            card = subprocess.run(
                ["nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm", "--format=csv,noheader"],
                capture_output=True, text=True).stdout.strip()
        return {"machine": platform.platform(), "gpu": card, "backends": rows}


def conformance(machine, _):
    """The whole suite, with cuBLASLt and with the backend's own products."""
    report = {}
    for name, environment in (("library", {}), ("own", {"POSED_CUDA_PRODUCT": "own"})):
        begin = time.monotonic()
        status, output, errors = machine.run("backends", "test", "cuda", "--json", environment=environment)
        results = json.loads(output)["results"] if output else []
        failed = [r for r in results if r["outcome"] == "failed"]
        report[name] = {
            "status": status, "passed": sum(r["outcome"] == "passed" for r in results), "failed": failed,
            "seconds": round(time.monotonic() - begin, 1), "errors": errors[-2000:]}
    return all(part["status"] == 0 for part in report.values()), report


def relative_error(path, reference):
    """The greatest relative L2 error of a safetensors file's tensors against those of the same name."""
    import numpy as np

    worst, references = 0.0, tensors(reference)
    for name, found in tensors(path).items():
        expected = references[name]
        worst = max(worst, float(np.linalg.norm(found - expected) / max(np.linalg.norm(expected), 1e-30)))
    return worst


def tensors(path):
    """float32 tensors of a safetensors file."""
    import numpy as np

    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            assert entry["dtype"] == "F32", entry
            values = np.frombuffer(data[8 + length + first:8 + length + last], np.float32)
            found[name] = values.reshape(entry["shape"]).astype(np.float64)
    return found


def decibels(path, reference):
    """PSNR of two pictures."""
    import numpy as np
    from PIL import Image

    a, b = (np.asarray(Image.open(p).convert("RGB"), np.float64) for p in (path, reference))
    return float(10 * np.log10(255.0**2 / max(((a - b)**2).mean(), 1e-10)))


def synthesize(machine, model, out, *arguments):
    return machine.run(
        "synthesize", "--model", model, "--source", model / "expected/synthesize/source.png", "--pose",
        model / "expected/synthesize/pose.json", "--seed", 7, "--out", out, *arguments)


def parity(machine, folder):
    """Parts against their references, a picture against the blas backend."""
    report, good = {}, True
    model = GOLDENS / "tiny"
    for dtype, bound in PART_BOUND.items():
        for part in PARTS:
            expected = model / "expected" / f"{part}.safetensors"  # inputs and outputs of the reference
            out = folder / f"{part}.{dtype}.safetensors"
            status, _, errors = machine.run(
                "run", part, "--model", model, "--in", expected, "--out", out, "--backend", "cuda", "--dtype", dtype)
            error = relative_error(out, expected) if status == 0 else None
            good = good and error is not None and error <= bound
            report[f"{part}.{dtype}"] = {"relative_l2": error, "bound": bound, "errors": errors[-500:]}
        ours, theirs = folder / f"cuda.{dtype}.png", folder / "blas.png"
        done = [synthesize(machine, model, ours, "--backend", "cuda", "--dtype", dtype),
                synthesize(machine, model, theirs, "--backend", "blas")]
        value = decibels(ours, theirs) if all(d[0] == 0 for d in done) else None
        good = good and value is not None and value >= PICTURE_BOUND[dtype]
        report[f"picture.{dtype}"] = {
            "psnr": value, "bound": PICTURE_BOUND[dtype], "errors": "".join(d[2] for d in done)[-500:]}
    return good, report


def determinism(machine, folder):
    """The same request in five processes gives the same file."""
    model, pictures = GOLDENS / "tiny", []
    for i in range(5):
        out = folder / f"again{i}.png"
        status, _, errors = synthesize(machine, model, out, "--backend", "cuda")
        if status != 0:
            return False, {"errors": errors}
        pictures.append(out.read_bytes())
    return len(set(pictures)) == 1, {"pictures": len(pictures), "different": len(set(pictures))}


def matrix_ceiling():
    """TFLOP/s of a large bf16 product by PyTorch: what this machine gives, measured in this run."""
    import torch

    size = 8192
    a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    times = []
    for _ in range(12):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        a @ b
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return 2 * size**3 / statistics.median(times[2:]) / 1e9


def own_times(machine, folder, preset, batch, patterns, seconds, *more):
    """{what: median milliseconds} of posekit bench."""
    out = folder / "bench.json"
    status, _, errors = machine.run(
        "bench", "--preset", preset, "--batch", batch, "--only", patterns, "--backend", "cuda", "--seconds", seconds,
        "--json", out, *more)
    if status != 0:
        return {"errors": errors[-1000:]}
    return {r["what"]: r["median_ms"] for r in json.loads(out.read_text())["results"]}


def items(only):
    """Items to compare on, the cheap ones first."""
    found = [f"velocity.{size}.b{batch}" for size, batches in BATCHES.items() for batch in batches]
    found += ["vae.decode.256", "vae.encode.256", "dinov2-b.224"]
    return [item for item in found if any(item.startswith(prefix) for prefix in only.split(","))]


def bench(machine, folder, only, deadline, seconds):
    """Every item by posekit and by its peers, in turns; ratios above 1 are ours."""
    sys.path.insert(0, str(HERE.parent / "Peers"))
    import peers
    from compare import gigaflops

    ceiling = matrix_ceiling()
    report = {"ceiling_tflops": round(ceiling, 1), "items": {}, "left_out": []}
    for item in items(only):
        if time.monotonic() > deadline:
            report["left_out"].append(item)
            continue
        fields = item.split(".")
        preset, batch = (fields[1], fields[2][1:]) if fields[0] == "velocity" else ("S", "1")
        row = {"posekit": own_times(machine, folder, preset, batch, item, seconds)}
        for backend in peers.GPU_BACKENDS:
            result = peers.bench(item, backend, seconds=seconds)
            row[backend] = result and result["median_ms"]
        ours = row["posekit"].get(item)
        if ours:
            work = gigaflops(item)
            row["tflops"] = round(work / ours, 1)
            row["of_ceiling"] = round(work / ours / ceiling, 3)
            for backend in peers.GPU_BACKENDS:
                if row[backend]:
                    row[f"ratio.{backend}"] = round(row[backend] / ours, 2)
        report["items"][item] = row
        print(json.dumps({item: row}), flush=True)
    return True, report


def paper(machine, folder, seconds):
    """Seconds a picture as the paper counts them, and a single picture at 8 evaluations."""
    batch = own_times(machine, folder, "B", 8, "solve,session", seconds, "--solver", "euler", "--nfe", 65,
                      "--guidance", 1.1)
    single = own_times(machine, folder, "B", 1, "solve,session", seconds, "--solver", "heun", "--nfe", 8,
                       "--guidance", 1.1)
    return "errors" not in batch and "errors" not in single, {"batch8.nfe65": batch, "single.nfe8": single}


def sanitizer(machine, _):
    """compute-sanitizer on the operations' cases; slow."""
    report, good = {}, True
    for tool in ("memcheck", "racecheck"):
        done = subprocess.run(
            ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9", machine.posekit, "backends", "test", "cuda",
             "--filter", "batch"], capture_output=True, text=True, env=machine.environment)
        good = good and done.returncode == 0
        report[tool] = {"status": done.returncode, "end": done.stdout[-1500:]}
    return good, report


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bundle", required=True, help="the folder that Tests/GPU/bundle made")
    parser.add_argument("--json", required=True, help="where the report goes")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--only", default="", help="prefixes of items to time, separated by commas")
    parser.add_argument("--minutes", type=float, default=9, help="start nothing after so long")
    parser.add_argument("--seconds", type=float, default=1.0, help="for one item and peer")
    parser.add_argument("--stand-in", help="folder of the driver's stand-in: rehearse")
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes
    machine = Machine(options.bundle, options.stand_in)
    report, failed = {"about": machine.describe(), "stages": {}}, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        play = {
            "conformance": lambda: conformance(machine, folder), "parity": lambda: parity(machine, folder),
            "determinism": lambda: determinism(machine, folder),
            "bench": lambda: bench(machine, folder, options.only, deadline, options.seconds),
            "paper": lambda: paper(machine, folder, options.seconds), "sanitizer": lambda: sanitizer(machine, folder)}
        for stage in options.stages.split(","):
            if time.monotonic() > deadline or (options.stand_in and stage in ("bench", "paper", "sanitizer")):
                report["stages"][stage] = {"left_out": True}
                continue
            good, result = play[stage]()
            report["stages"][stage] = {"good": good, **result}
            failed += [] if good else [stage]
            print(f"{stage}: {'good' if good else 'FAILED'}", flush=True)
            Path(options.json).write_text(json.dumps(report, indent=1))
    Path(options.json).write_text(json.dumps(report, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
