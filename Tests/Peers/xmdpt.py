"""X-MDPT beside its original, beside RPFM, and in a session of the daemon, with random weights.

    python3 Tests/Peers/xmdpt.py evaluation --original FOLDER --types f32,bf16
    python3 Tests/Peers/xmdpt.py engine
    python3 Tests/Peers/xmdpt.py model --out FOLDER
    python3 Tests/Peers/xmdpt.py session --model FOLDER

`evaluation` times one guided evaluation of a batch with the original class in PyTorch, eager and compiled, and with
posekit, in rounds: every peer, then posekit, and the median of the rounds. A solve of equal steps costs as many times
as much on both sides. In bf16 the original runs under autocast, as its own inference does. FOLDER is a checkout of
github.com/trungpx/xmdpt. `engine` times RPFM of a size beside X-MDPT of that size. `model` writes a folder of size S with
TAESD and both DINOv2, all of drawn numbers. `session` starts posed with it and tells the memory once a session is made
and its source encoder given back, and the frames a second of one stream.

Needs torch, transformers, diffusers and the recipe on the path (`pip install -e weights/recipe`). Prints JSON.
"""

import argparse
import contextlib
import json
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from running import running

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests/Goldens"))


def tell(text):
    """Progress, for those who wait."""
    print(text, file=sys.stderr, flush=True)


def bench(options, preset, only, more=(), what="median_ms"):
    """Milliseconds of `posekit bench`, by name."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "bench.json"
        subprocess.run(
            [options.bin / "posekit", "bench", "--preset", preset, "--only", only, "--backend", options.backend,
             "--threads", str(options.threads), "--seconds", str(options.seconds), "--json", report, *more],
            check=True, stdout=subprocess.DEVNULL)
        return {entry["what"]: entry[what] for entry in json.loads(report.read_text())["results"]}


def originals(options):
    """The original's guided evaluation as callables: one for each type, eager and compiled."""
    import check_xmdpt

    _, models = check_xmdpt.original(options.original)
    rows = options.batch
    given = {"dino_tgt_pose": torch.randn(rows, 257, 768), "dino_src_img": torch.randn(rows, 257, 1536),
             "src_img": torch.randn(rows, 4, 32, 32)}
    x, t = torch.randn(rows, 4, 32, 32), torch.full((rows,), 500)
    found = {}
    for dtype in options.types:
        for way in ("eager", "compiled"):
            with contextlib.redirect_stdout(sys.stderr):  # it prints its settings
                model = getattr(models, f"XMDPT_{options.size}_2")(input_size=32, decode_layer=2)
            check_xmdpt.randomise(model)
            if way == "compiled":  # which leaves out what nothing reads
                model.forward = torch.compile(model.forward)

            def run(model=model, dtype=dtype):
                with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bf16"):
                    return model.forward_with_cfg(x, t, cfg_scale=2.0, scale_pow=0.01, **given)

            run()
            tell(f"torch {way} {dtype} is ready")
            found[f"torch {way} {dtype}"] = run
    return found


def timed(run, seconds):
    """Median milliseconds of calls for so many seconds, of one at least; those that warm up came before."""
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def evaluation(options):
    """Milliseconds of one guided evaluation of a batch, and how many times as fast posekit is."""
    torch.set_num_threads(options.threads)
    peers, rounds = originals(options), {}
    rows = 2 * options.batch
    for _ in range(options.rounds):
        for name, run in peers.items():
            rounds.setdefault(name, []).append(timed(run, options.seconds))
            tell(f"{name}: {rounds[name][-1]:.0f} ms")
        for dtype in options.ours or options.types:
            found = bench(options, f"xmdpt-{options.size}", f"velocity.xmdpt-{options.size}.b{rows}",
                          ["--batch", str(rows), "--dtype", dtype])
            rounds.setdefault(f"posekit {dtype}", []).extend(found.values())
            tell(f"posekit {dtype}: {found}")
    medians = {name: statistics.median(times) for name, times in rounds.items()}
    ratios = {f"{peer} by {ours}": medians[peer] / medians[ours]
              for peer in medians if peer in peers for ours in medians if ours not in peers}
    return {"size": options.size, "batch": options.batch, "ms": medians, "times_as_fast": ratios}


def engine(options):
    """Least milliseconds of an evaluation of RPFM, with and without a reference, and of X-MDPT."""
    found = {}
    for _ in range(options.rounds):
        for preset, more in ((options.size, ["--reference"]), (f"xmdpt-{options.size}", [])):
            times = bench(options, preset, "velocity", [
                "--batch", ",".join(map(str, options.rows)), "--dtype", options.types[0], *more], "min_ms")
            found |= {name: min(value, found.get(name, value)) for name, value in times.items()}
            tell(f"{preset}: {times}")
    return {"least_ms": found, "type": options.types[0]}


def draw(shapes):
    """Small numbers for names and shapes, in bfloat16: slices of one pool, since what they are does not matter."""
    pool = torch.randn(1 << 22).mul_(0.02).bfloat16()
    tensors = {}
    for name, shape in shapes.items():
        count = torch.Size(shape).numel()
        tensors[name] = pool.repeat(-(-count // len(pool)))[:count].reshape(shape).clone()
    return tensors


def write_model(options):
    """A model folder of size S, as the converter writes it."""
    from diffusers import AutoencoderTiny
    from posed_recipe.weights import write_json
    from posed_recipe.xmdpt import XMDPTConfig, XMDPTTransformer2DModel, convert, parts

    out = options.out
    out.mkdir(parents=True)
    config = XMDPTConfig()
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in XMDPTTransformer2DModel(config).state_dict().items()}
    parts.write(out / "transformer", "diffusion_pytorch_model", config.to_dict(), draw(shapes))
    common = {"model_type": "dinov2", "image_size": 224, "patch_size": 14, "mlp_ratio": 4}
    giant = {"hidden_size": 1536, "num_hidden_layers": 40, "num_attention_heads": 24, "use_swiglu_ffn": True}
    base = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
    for part, sizes, normal in (("source_encoder", giant, (0.5, 0.5)), ("pose_encoder", base, (0.0, 1.0))):
        values = {**common, **sizes}
        shapes = parts.encoder_shapes(values)
        del shapes["embeddings.mask_token"]
        parts.write(out / part, "model", values, draw(shapes))
        more = {"rescale_by_maximum": True} if part == "pose_encoder" else {}
        write_json(out / part / "preprocessor_config.json", parts.preprocessor(values, *normal, **more))
    AutoencoderTiny().save_pretrained(out / "vae")
    sys.modules[convert.__module__].write_rest(out, "AutoencoderTiny")
    return {"model": str(out)}


def memory(process):
    """MiB that a process holds, and held at most."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return {"rss_mib": round(values["VmRSS"]), "peak_mib": round(values["VmHWM"])}


def process_of(path):
    """The process that listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        answer = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return struct.unpack("3i", answer)[0]


def session(options):
    """Memory once a session is made, and frames a second of one stream of 16 guided evaluations."""
    settings = {"model.sourceEncoderIdle": "1s", "model.dtype": options.types[0], "watchdog.stallTimeout": "1h"}
    with (tempfile.TemporaryDirectory(prefix="posed-xmdpt-") as folder,
          running(options.bin, options.model, folder, options.backend, options.threads, settings) as address):
        call = [options.bin / "posectl"]
        subprocess.run([*call, "health", "--wait", "--timeout", "10m", "--address", address], check=True,
                       stdout=subprocess.DEVNULL)
        found = {}
        process = process_of(address.removeprefix("unix:"))
        found["ready"] = memory(process)
        picture = ROOT / "weights/default/samples/ada/source.png"
        subprocess.run([*call, "sessions", "create", "--source", picture, "--timeout", "5m", "--address", address],
                       check=True, stdout=subprocess.DEVNULL)
        found["session"] = memory(process)
        time.sleep(5)
        found["encoder_given_back"] = memory(process)
        tell(found)
        report = subprocess.run(
            [*call, "bench", "--mode", "stream", "--source", picture, "--format", "raw", "--warmup", "3s", "--duration",
             f"{options.duration}s", "--distinct-poses", "100000", "--solver", "midpoint", "--steps", "8", "--guidance",
             "2", "--timeout", "5m", "--json", "--address", address], check=True, stdout=subprocess.PIPE).stdout
        report = json.loads(report)
        found["after_frames"] = memory(process)
        found["frames_per_second"] = report["frames_per_second"]
        found["stages_ms"] = {name: stage["p50"] for name, stage in report["stages_ms"].items()}
    return found


def main():
    """Measures one thing and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["evaluation", "engine", "model", "session"])
    parser.add_argument("--original", type=Path)
    parser.add_argument("--bin", type=lambda path: Path(path).resolve(), default=ROOT / ".build/release")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--size", choices=["S", "B", "L"], help="S for evaluation, B for engine without it")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rows", type=lambda text: [int(part) for part in text.split(",")], default=[1, 2, 16])
    parser.add_argument("--types", type=lambda text: text.split(","), default=["f32"])
    parser.add_argument("--ours", type=lambda text: text.split(","), help="types of posekit where they differ")
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--duration", type=int, default=20, help="seconds of frames")
    options = parser.parse_args()
    needed = {"evaluation": "original", "model": "out", "session": "model"}.get(options.what)
    if needed and getattr(options, needed) is None:
        parser.error(f"{options.what} needs --{needed}")
    options.size = options.size or ("B" if options.what == "engine" else "S")
    measures = {"evaluation": evaluation, "engine": engine, "model": write_model, "session": session}
    print(json.dumps(measures[options.what](options), indent=2))


if __name__ == "__main__":
    main()
