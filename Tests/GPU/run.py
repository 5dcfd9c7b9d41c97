"""Proves and measures the CUDA backend on a machine with a GPU. Builds nothing.

    python3 Tests/GPU/run.py --bundle .gpu --json gpu.json
    python3 Tests/GPU/run.py --bundle .gpu --json gpu.json --stages bench --only velocity.B --minutes 9

The bundle is what Tests/GPU/bundle makes. Stages, in order, each of which adds to the report when it is done:
`conformance`, `parity` (parts and a picture of the tests' small model against its goldens and the cpu backend),
`determinism`, `paper` (the setting of the paper: size B, 65 evaluations, guidance 1.1, batches of 8; and a picture of
8 evaluations; frames a second of the default model), `bench` (posekit and its peers in PyTorch, item by item in
turns, each peer in a process of its own; posekit alone where there is no PyTorch), and `sanitizer` (compute-sanitizer,
where it is installed). `targets` says which of the figures that are aimed at are reached. What does not fit into
`--minutes` or its own limit is left out and named in the report, which is written after every item. NVRTC and cuBLASLt
are those of this Python's packages, if it has them. `--stand-in FOLDER` rehearses with the driver's stand-in; nothing
is timed then. Exit status 1 where a stage failed.
"""

import argparse
import array
import json
import math
import os
import platform
import shutil
import signal
import site
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
AIM_AT_8 = 12.0  # the same, and what is hoped for
FRAMES_A_SECOND = 100.0  # of the default model
RATIO = 1.3  # over the fastest peer
PEER_NOTE = ("velocity: a peer's time includes the modulation vectors, posekit's does not, as a solve makes them before "
             "its first evaluation; PEER.given is the peer's time with the vectors given, too")


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


def limited(words, environment, limit):
    """(status, stdout, stderr) of a process; what outlasts the limit ends, with what it started, as 124."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                               start_new_session=True)
    try:
        output, errors = process.communicate(timeout=max(1.0, limit))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return 124, "", f"more than {limit:.0f} seconds"
    return process.returncode, output, errors


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
        return limited([self.posekit, *map(str, arguments)], {**self.environment, **(environment or {})}, limit)

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


def entries(path):
    """{name: (shape, bytes)} of a safetensors file's float32 tensors."""
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            assert entry["dtype"] == "F32", entry
            found[name] = (entry["shape"], data[8 + length + first:8 + length + last])
    return found


def tensors(path):
    """The values of a safetensors file's float32 tensors."""
    return {name: array.array("f", data) for name, (_, data) in entries(path).items()}


def write_repeated(path, source, rows):
    """Writes a safetensors file whose tensors have the first row of those in `source`, so many times."""
    header, body = {}, b""
    for name, (shape, data) in entries(source).items():
        row = data[:len(data) // shape[0]]
        header[name] = {"dtype": "F32", "shape": [rows, *shape[1:]],
                        "data_offsets": [len(body), len(body) + rows * len(row)]}
        body += rows * row
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(len(text).to_bytes(8, "little") + text + body)


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
    """Parts against their references, a picture against the cpu backend."""
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
        ours, theirs = folder / f"cuda.{dtype}.png", folder / "cpu.png"
        done = [synthesize(machine, model, ours, "--backend", "cuda", "--dtype", dtype),
                synthesize(machine, model, theirs, "--backend", "cpu", "--dtype", "f32")]
        value = decibels(ours, theirs) if all(d[0] == 0 for d in done) else None
        good = good and value is not None and value >= PICTURE_BOUND[dtype]
        report[f"picture.{dtype}"] = {
            "psnr": value, "bound": PICTURE_BOUND[dtype], "errors": "".join(d[2] for d in done)[-500:]}
    return good, report


def company(machine, folder):
    """A row alone against the same row in batches: whether bits are equal, and the PSNR over the values' range."""
    report, good = {}, True
    for part in ("velocity", "vae.decode"):
        alone = None
        for rows in (1, 2, 8):
            inputs, out = folder / f"company{rows}.in.safetensors", folder / f"company{rows}.out.safetensors"
            write_repeated(inputs, GOLDENS / "tiny" / "expected" / f"{part}.safetensors", rows)
            status, _, errors = machine.run(
                "run", part, "--model", GOLDENS / "tiny", "--in", inputs, "--out", out, "--backend", "cuda")
            if status != 0:
                report[f"{part}.b{rows}"], good = {"errors": errors[-500:]}, False
                continue
            values = next(iter(tensors(out).values()))
            row = values[:len(values) // rows]
            if rows == 1:
                alone = row
            elif alone:
                error = sum((a - b)**2 for a, b in zip(row, alone, strict=True)) / len(row)
                span = max(alone) - min(alone)
                psnr = 10 * math.log10(span**2 / error) if error else None
                report[f"{part}.b{rows}"] = {"equal_bits": row == alone, "psnr": psnr}
                good = good and (psnr is None or psnr >= PICTURE_BOUND["bf16"])
    return good, report


def determinism(machine, folder):
    """The same request in five processes gives the same file; what company in a batch changes is reported."""
    model, pictures = GOLDENS / "tiny", []
    for i in range(5):
        out = folder / f"again{i}.png"
        status, _, errors = synthesize(machine, model, out, "--backend", "cuda")
        if status != 0:
            return False, {"errors": errors}
        pictures.append(out.read_bytes())
    good, rows = company(machine, folder)
    return good and len(set(pictures)) == 1, {
        "pictures": len(pictures), "different": len(set(pictures)), "row_in_batches": rows}


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


def ask_peer(limit, what, item="-", peer="-", seconds=0.0):
    """(value, or None; what went wrong) of peer.py, in a process of its own."""
    status, output, errors = limited(
        [sys.executable, HERE / "peer.py", what, item, peer, str(seconds)], dict(os.environ), limit)
    answer = json.loads(output.strip().split("\n")[-1]) if status == 0 and output.strip() else {}
    return answer.get("value"), answer.get("errors") or errors.strip()[-500:]


def bench(machine, folder, options, deadline, save):
    """Every item by posekit and by its peers, in turns; ratios above 1 are ours."""
    def limit():
        return min(options.peer_seconds, deadline - time.monotonic())

    ceiling, why = ask_peer(limit(), "ceiling")
    report = {"peers": "PyTorch" if ceiling else why, "note": PEER_NOTE,
              "ceiling_tflops": ceiling and round(ceiling, 1), "items": {}, "left_out": []}
    for item in items(options.only):
        if time.monotonic() > deadline:
            report["left_out"].append(item)
            continue
        fields = item.split(".")
        velocity = fields[0] == "velocity"
        preset, batch = (fields[1], fields[2][1:]) if velocity else ("S", "1")
        row = {"posekit": own_times(machine, folder, preset, batch, item, options.seconds)}
        report["items"][item] = row
        ours = row["posekit"].get(item)
        for peer in PEERS if ceiling else ():
            for what, name in (("time", peer), ("given", f"{peer}.given"))[:2 if velocity else 1]:
                if time.monotonic() > deadline:
                    report["left_out"].append(f"{item} {name}")
                    continue
                row[name], errors = ask_peer(limit(), what, item, peer, options.seconds)
                if row[name] is None:
                    row[f"errors.{name}"] = errors
                elif ours:
                    row[f"ratio.{name}"] = round(row[name] / ours, 2)
                save(report)
        if ours and ceiling and time.monotonic() < deadline:
            work, _ = ask_peer(limit(), "work", item)
            row |= {"tflops": round(work / ours, 1), "of_ceiling": round(work / ours / ceiling, 3)} if work else {}
        save(report)
        print(json.dumps({item: row}), flush=True)
    return all("errors" not in row["posekit"] for row in report["items"].values()), report


def paper(machine, folder, model, seconds, save):
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
    save(report)
    if model.exists():
        out = folder / "model.json"
        status, _, errors = machine.run(
            "bench", "--model", model, "--batch", 1, "--only", "solve,session.pose", "--backend", "cuda", "--seconds",
            seconds, "--json", out)
        if status != 0:
            return False, report | {"errors": errors[-1000:]}
        times = {r["what"]: r["median_ms"] for r in json.loads(out.read_text())["results"]}
        report |= {"model": times, "frames_a_second": round(1000 / sum(times.values()), 1)}
    return True, report


def sanitizer(machine, deadline, minutes, save):
    """compute-sanitizer on the whole suite, by the own products and by cuBLASLt: errors of memory, and races."""
    tool_path = shutil.which("compute-sanitizer")
    if not tool_path:
        return None, {"left_out": "compute-sanitizer is not installed"}
    report, statuses = {}, []
    for product in ("own", "library"):
        for tool in ("memcheck", "racecheck"):
            environment = machine.environment | ({"POSED_CUDA_PRODUCT": "own"} if product == "own" else {})
            status, output, _ = limited(
                [tool_path, "--tool", tool, "--error-exitcode", "9", machine.posekit, "backends", "test", "cuda"],
                environment, min(60 * minutes, deadline - time.monotonic()))
            statuses.append(status)
            left_out = {"left_out": "no time was left"}
            report[f"{tool} {product}"] = left_out if status == 124 else {"status": status, "end": output[-1500:]}
            save(report)
    if any(status not in (0, 124) for status in statuses):
        return False, report
    return None if 124 in statuses else True, report


def targets(stages):
    """Which of the figures that are aimed at are reached; what was not measured is not there."""
    found, figures = {}, stages.get("paper", {})
    for name, what, most in (("seconds_a_picture", "seconds_a_picture", SECONDS_A_PICTURE),
                             ("milliseconds_at_8", "milliseconds_at_8", MILLISECONDS_AT_8),
                             ("milliseconds_at_8.aim", "milliseconds_at_8", AIM_AT_8)):
        if what in figures:
            found[name] = {"measured": figures[what], "at_most": most, "reached": figures[what] <= most}
    least = {"frames_a_second": (figures.get("frames_a_second"), FRAMES_A_SECOND)}
    for item, row in stages.get("bench", {}).get("items", {}).items():
        least[item] = (min((row[key] for key in row if key.startswith("ratio.")), default=None), RATIO)
    for name, (measured, bound) in least.items():
        if measured is not None:
            found[name] = {"measured": measured, "at_least": bound, "reached": measured >= bound}
    return found


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--bundle", required=True, help="the folder that Tests/GPU/bundle made")
    parser.add_argument("--json", required=True, help="where the report goes")
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--only", default="", help="prefixes of items to time, separated by commas")
    parser.add_argument("--minutes", type=float, default=60, help="start nothing after so long")
    parser.add_argument("--seconds", type=float, default=1.0, help="for one item and peer")
    parser.add_argument("--peer-seconds", type=float, default=240, help="the most for a peer's process")
    parser.add_argument("--sanitizer-minutes", type=float, default=15, help="the most for each of its four runs")
    parser.add_argument("--model", help="the model whose frames a second are measured; the bundle's unless named")
    parser.add_argument("--stand-in", help="folder of the driver's stand-in: rehearse")
    return parser.parse_args()


def main():
    options = parsed()
    deadline = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = unpacked(options.bundle, folder)
        machine = Machine(files, options.stand_in)
        model = Path(options.model or Path(files) / "model")
        report, failed = {"about": machine.describe(), "stages": {}, "targets": {}}, []

        def save(result):
            report["stages"][stage] = result
            report["targets"] = targets(report["stages"])
            Path(options.json).write_text(json.dumps(report, indent=1))

        play = {
            "conformance": lambda: conformance(machine, folder), "parity": lambda: parity(machine, folder),
            "determinism": lambda: determinism(machine, folder),
            "bench": lambda: bench(machine, folder, options, deadline, save),
            "paper": lambda: paper(machine, folder, model, options.seconds, save),
            "sanitizer": lambda: sanitizer(machine, deadline, options.sanitizer_minutes, save)}
        for stage in options.stages.split(","):
            if time.monotonic() > deadline or (options.stand_in and stage in ("bench", "paper", "sanitizer")):
                save({"left_out": True})
                continue
            good, result = play[stage]()
            save(({} if good is None else {"good": good}) | result)
            failed += [stage] if good is False else []
            word = {None: "left out, in part at least", True: "good", False: "FAILED"}[good]
            print(f"{stage}: {word}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
