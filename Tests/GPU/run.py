"""Proves and measures the CUDA backend on a machine with a GPU. Builds nothing.

    python3 Tests/GPU/run.py --bundle .gpu --json gpu.json
    python3 Tests/GPU/run.py --bundle .gpu --json gpu.json --stages bench --only velocity.B --minutes 9

The bundle is what Tests/GPU/bundle makes. Stages, in order, each of which adds to the report when it is done:
`conformance`, `parity` (parts and a picture of the tests' small model against its goldens and the blas backend),
`determinism`, `paper` (the setting of the paper: size B, 65 evaluations, guidance 1.1, batches of 8; and a picture of
8 evaluations), `bench` (posekit and its peers in PyTorch, item by item in turns; posekit alone where there is no
PyTorch), and `sanitizer` (compute-sanitizer, where it is installed). `targets` says which of the figures that are
aimed at are reached. What does not fit into `--minutes` is left out and named in the report. NVRTC and cuBLASLt are
those of this Python's packages, if it has them. `--stand-in FOLDER` rehearses with the driver's stand-in; nothing is
timed then. Exit status 1 where a stage failed.
"""

import argparse
import array
import json
import math
import os
import platform
import shutil
import site
import statistics
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOLDENS = HERE.parent / "Goldens"
STAGES = ("conformance", "parity", "determinism", "paper", "bench", "sanitizer")
PARTS = ("vae.encode", "vae.decode", "source_encoder", "pose_encoder", "condition", "velocity")
PART_BOUND = {"bf16": 2e-2, "f32": 1e-4}
PICTURE_BOUND = {"bf16": 35.0, "f32": 60.0}  # decibels
BATCHES = {"S": (1, 2, 8, 32), "B": (1, 2, 8, 32), "L": (1, 2, 8, 32)}
PEERS = ("torch-cuda-bf16", "torch-cuda-bf16-graph", "torch-cuda-bf16-compile")
SECONDS_A_PICTURE = 0.06  # in the paper's setting, where the paper has 0.489
MILLISECONDS_AT_8 = 25.0  # for a picture of 8 evaluations in an open session
RATIO = 1.3  # over the fastest peer


class Joined:
    """The pieces that a packed bundle travels in, as one file to read."""

    def __init__(self, folder):
        self.paths = sorted(Path(folder).glob("bundle.tar.xz.*"))
        self.file = None

    def read(self, size):
        found = b""
        while len(found) < size and (self.file or self.paths):
            self.file = self.file or open(self.paths.pop(0), "rb")
            piece = self.file.read(size - len(found))
            if not piece:
                self.file.close()
                self.file = None
            found += piece
        return found


def unpacked(bundle, folder):
    """The folder with the bundle's files: itself, or where its pieces have been put together."""
    if (Path(bundle) / "posekit").exists():
        return Path(bundle)
    with tarfile.open(fileobj=Joined(bundle), mode="r|xz") as files:
        files.extractall(folder)
    return folder


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
    worst, references = 0.0, tensors(reference)
    for name, found in tensors(path).items():
        expected = references[name]
        difference = math.sqrt(sum((a - b)**2 for a, b in zip(found, expected, strict=True)))
        worst = max(worst, difference / max(math.sqrt(sum(b * b for b in expected)), 1e-30))
    return worst


def tensors(path):
    """The values of a safetensors file's float32 tensors."""
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            assert entry["dtype"] == "F32", entry
            found[name] = array.array("f", data[8 + length + first:8 + length + last])
    return found


def pixels(path):
    """The bytes of a PNG picture of 8-bit RGB that is not interlaced."""
    data, at, packed = Path(path).read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, colours, *_, interlaced = struct.unpack(">IIBBBBB", data[at + 8:at + 21])
            assert (depth, colours, interlaced) == (8, 2, 0), path
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    lines, stride = zlib.decompress(packed), 3 * width
    above, found = bytes(stride), b""
    for y in range(height):
        line = bytearray(lines[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        unfilter(lines[y * (stride + 1)], line, above)
        above, found = bytes(line), found + line
    return found


def unfilter(kind, line, above):
    """Takes back what a PNG encoder has subtracted from a line of 3 bytes a pixel."""
    for i, value in enumerate(line):
        left, up, corner = (line[i - 3], above[i], above[i - 3]) if i > 2 else (0, above[i], 0)
        guess = left + up - corner
        paeth = min((left, up, corner), key=lambda near: abs(guess - near))
        line[i] = (value + (0, left, up, (left + up) // 2, paeth)[kind]) % 256


def decibels(path, reference):
    """PSNR of two pictures."""
    a, b = pixels(path), pixels(reference)
    error = sum((x - y)**2 for x, y in zip(a, b, strict=True)) / len(a)
    return 10 * math.log10(255.0**2 / max(error, 1e-10))


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


def peers_here():
    """The peers' module and the counter of work; None with the reason where there is no PyTorch for a GPU."""
    sys.path.insert(0, str(HERE.parent / "Peers"))
    try:
        import torch

        if not torch.cuda.is_available():
            return None, "PyTorch here sees no GPU"
        import peers
        from compare import gigaflops
    except ImportError as error:
        return None, str(error)
    return (peers, gigaflops), ""


def bench(machine, folder, only, deadline, seconds):
    """Every item by posekit and by its peers, in turns; ratios above 1 are ours."""
    others, why = peers_here()
    ceiling = matrix_ceiling() if others else None
    report = {"peers": why or "PyTorch", "ceiling_tflops": ceiling and round(ceiling, 1), "items": {}, "left_out": []}
    for item in items(only):
        if time.monotonic() > deadline:
            report["left_out"].append(item)
            continue
        fields = item.split(".")
        preset, batch = (fields[1], fields[2][1:]) if fields[0] == "velocity" else ("S", "1")
        row = {"posekit": own_times(machine, folder, preset, batch, item, seconds)}
        ours = row["posekit"].get(item)
        if others:
            peers, gigaflops = others
            for peer in PEERS:
                result = peers.bench(item, peer, seconds=seconds)
                row[peer] = result and result["median_ms"]
                if ours and row[peer]:
                    row[f"ratio.{peer}"] = round(row[peer] / ours, 2)
            if ours:
                work = gigaflops(item)
                row |= {"tflops": round(work / ours, 1), "of_ceiling": round(work / ours / ceiling, 3)}
        report["items"][item] = row
        print(json.dumps({item: row}), flush=True)
    return all("errors" not in row["posekit"] for row in report["items"].values()), report


def paper(machine, folder, model, seconds):
    """Seconds a picture as the paper counts them, a single picture at 8 evaluations, and frames of a model."""
    settings = ("--guidance", 1.1, "--solver")
    batch = own_times(machine, folder, "B", 8, "solve,session", seconds, *settings, "euler", "--nfe", 65)
    single = own_times(machine, folder, "B", 1, "solve,session", seconds, *settings, "heun", "--nfe", 8)
    report = {"batch8.nfe65": batch, "single.nfe8": single}
    if "errors" in batch or "errors" in single:
        return False, report
    whole = sum(time for what, time in batch.items() if what.startswith("solve"))
    encoders = batch["session.source"] + batch["session.pose"]
    report["seconds_a_picture"] = round((whole / 8 + encoders) / 1000, 4)
    solve = sum(time for what, time in single.items() if what.startswith("solve"))
    report["milliseconds_at_8"] = round(solve + single["session.pose"], 2)
    if model:
        out = folder / "model.json"
        machine.run("bench", "--model", model, "--batch", 1, "--only", "solve,session.pose", "--backend", "cuda",
                    "--seconds", seconds, "--json", out)
        times = {r["what"]: r["median_ms"] for r in json.loads(out.read_text())["results"]} if out.exists() else {}
        report["model"] = times
        if times:
            report["frames_a_second"] = round(1000 / sum(times.values()), 1)
    return True, report


def sanitizer(machine, deadline):
    """compute-sanitizer on the conformance suite: errors of memory in all of it, races in what shares memory."""
    if not shutil.which("compute-sanitizer"):
        return True, {"left_out": "compute-sanitizer is not installed"}
    report, good = {}, True
    for tool, cases in (("memcheck", ""), ("racecheck", "linear bf16·bf16→bf16"), ("racecheck", "attention"),
                        ("racecheck", "norm f32→f32"), ("racecheck", "conv2d bf16·bf16→bf16")):
        words = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9", machine.posekit, "backends", "test",
                 "cuda", *(["--filter", cases] if cases else [])]
        try:
            done = subprocess.run(words, capture_output=True, text=True, env=machine.environment,
                                  timeout=max(10.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            report[f"{tool} {cases}".strip()] = {"left_out": "no time was left"}
            continue
        good = good and done.returncode == 0
        report[f"{tool} {cases}".strip()] = {"status": done.returncode, "end": done.stdout[-1500:]}
    return good, report


def targets(stages):
    """Which of the figures that are aimed at are reached; what was not measured is not there."""
    found, paper_report = {}, stages.get("paper", {})
    for what, most in (("seconds_a_picture", SECONDS_A_PICTURE), ("milliseconds_at_8", MILLISECONDS_AT_8)):
        if what in paper_report:
            found[what] = {"measured": paper_report[what], "at_most": most, "reached": paper_report[what] <= most}
    for item, row in stages.get("bench", {}).get("items", {}).items():
        ratios = [row[key] for key in row if key.startswith("ratio.")]
        if ratios:
            found[item] = {"measured": min(ratios), "at_least": RATIO, "reached": min(ratios) >= RATIO}
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bundle", required=True, help="the folder that Tests/GPU/bundle made")
    parser.add_argument("--json", required=True, help="where the report goes")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--only", default="", help="prefixes of items to time, separated by commas")
    parser.add_argument("--minutes", type=float, default=60, help="start nothing after so long")
    parser.add_argument("--seconds", type=float, default=1.0, help="for one item and peer")
    parser.add_argument("--model", help="a model's folder: its frames a second are measured, too")
    parser.add_argument("--stand-in", help="folder of the driver's stand-in: rehearse")
    options = parser.parse_args()
    deadline = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        machine = Machine(unpacked(options.bundle, folder), options.stand_in)
        report, failed = {"about": machine.describe(), "stages": {}, "targets": {}}, []
        play = {
            "conformance": lambda: conformance(machine, folder), "parity": lambda: parity(machine, folder),
            "determinism": lambda: determinism(machine, folder),
            "bench": lambda: bench(machine, folder, options.only, deadline, options.seconds),
            "paper": lambda: paper(machine, folder, options.model, options.seconds),
            "sanitizer": lambda: sanitizer(machine, deadline)}
        for stage in options.stages.split(","):
            if time.monotonic() > deadline or (options.stand_in and stage in ("bench", "paper", "sanitizer")):
                report["stages"][stage] = {"left_out": True}
                continue
            good, result = play[stage]()
            report["stages"][stage] = {"good": good, **result}
            report["targets"] = targets(report["stages"])
            failed += [] if good else [stage]
            print(f"{stage}: {'good' if good else 'FAILED'}", flush=True)
            Path(options.json).write_text(json.dumps(report, indent=1))
    Path(options.json).write_text(json.dumps(report, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
