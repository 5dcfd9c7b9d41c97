"""Measures `posekit` against the references at real sizes, with random weights of realistic scale.

    python3 Tests/Goldens/check_real_sizes.py --posekit .build/release/posekit --work /tmp/real \\
        --backends cpu/f32,cpu/bf16,cpu/i8 --json real.json

`cpu/i8` is `cpu` with `--dtype i8`, held to the bounds of bfloat16.
The work folder takes about 3 GB and is kept: a second run reuses the models and the references.
Errors are relative L2. Exit status 1 if one is above its target.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from safetensors.torch import load_file
from transformers import Dinov2Config, Dinov2Model

import reference
import rpfm
from make_models import keypoints, normal, source_picture

# Relative L2 of one part by backend, and PSNR of a whole solve in 8 bits.
PART_TARGET = {"cpu/f32": 1e-4, "blas": 1e-4}
OTHER_PART_TARGET = 2e-2
SOLVE_TARGET_DB = {"cpu/f32": 60.0, "blas": 60.0}
OTHER_SOLVE_TARGET_DB = 35.0
SETTINGS = dict(solver="heun", steps=8, guidance=1.1, time_shift=1.0)
SEED = 7
# The models a picture is made with; S-512 has S's weights and 1,024 tokens.
MODELS = ("S", "S-reference", "B", "B-reference")
LARGE = "S-512"


# Models


def seeded(build):
    torch.manual_seed(0)
    return build().float().eval()


def autoencoder():
    return seeded(lambda: AutoencoderKL(
        block_out_channels=[128, 256, 512, 512],
        down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
        layers_per_block=2, norm_num_groups=32, latent_channels=4, sample_size=256,
        scaling_factor=0.18215))


def encoder(size):
    sizes = {"b": dict(hidden_size=768, num_attention_heads=12),
             "s": dict(hidden_size=384, num_attention_heads=6)}
    model = seeded(lambda: Dinov2Model(Dinov2Config(image_size=518, **sizes[size])))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("position_embeddings"):
                parameter.normal_(std=0.1)
            elif name.endswith("lambda1"):
                parameter.normal_(0.5, 0.2)
    return model


def transformer(size, with_reference):
    """Default initialization, and gates, shifts and scales as a trained model has them."""
    model = seeded(lambda: rpfm.RPFMTransformer2DModel(
        **rpfm.PRESETS[size], reference_attention=with_reference, pose_encoder_dim=384))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "adaLN_modulation" in name:
                bias = parameter.dim() == 1
                parameter.normal_(std=0.2 if bias else 0.6 * parameter.shape[1]**-0.5)
            elif name.endswith(("queries", "null_condition")):
                parameter.normal_(std=0.5)
            elif parameter.dim() == 2:
                torch.nn.init.xavier_uniform_(parameter)
    return model


def build_models(work):
    """One folder a transformer; the other parts are linked from `parts`."""
    parts = work / "parts"
    if not (parts / "complete").exists():
        autoencoder().save_pretrained(parts / "vae")
        reference.save_encoder(encoder("b"), parts / "source_encoder", 256, 224)
        reference.save_encoder(encoder("s"), parts / "pose_encoder", 256, 224)
        (parts / "complete").touch()
    for size in ("S", "B"):
        for with_reference in (False, True):
            folder = work / (size + ("-reference" if with_reference else ""))
            if (folder / "model_index.json").exists():
                continue
            transformer(size, with_reference).save_pretrained(folder / "transformer")
            for part in ("vae", "source_encoder", "pose_encoder"):
                link = folder / part
                link.unlink(missing_ok=True)
                link.symlink_to(parts.resolve() / part)
            reference.write_sampler(folder)
            reference.write_index(folder, "Dinov2Model", "Dinov2Model")
    build_large(work, parts)


def build_large(work, parts):
    folder, weights = work / LARGE, "diffusion_pytorch_model.safetensors"
    if (folder / "model_index.json").exists():
        return
    (folder / "transformer").mkdir(parents=True, exist_ok=True)
    links = {part: parts / part for part in ("vae", "source_encoder", "pose_encoder")}
    links[f"transformer/{weights}"] = work / "S" / "transformer" / weights
    for name, origin in links.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(origin.resolve())
    config = json.loads((work / "S" / "transformer" / "config.json").read_text())
    reference.write_json(folder / "transformer" / "config.json", {**config, "sample_size": 64})
    reference.write_sampler(folder)
    reference.write_index(folder, "Dinov2Model", "Dinov2Model")


# References


def cases(work):
    """(name, model folder, posekit's part) of everything compared; makes what is missing."""
    out = work / "expected"
    out.mkdir(exist_ok=True)
    listed = [(name, "S", part) for name, part in (
        ("vae.encode.256", "vae.encode"), ("vae.decode.256", "vae.decode"),
        ("dinov2-b.224", "source_encoder"), ("dinov2-s.224", "pose_encoder"))]
    listed.append(("vae.decode.512", LARGE, "vae.decode"))
    for model in (*MODELS, LARGE):
        listed += [(f"{part}.{model}", model, part) for part in ("condition", "velocity")]
    with torch.no_grad():
        if not (out / "vae.decode.512.safetensors").exists():
            compute_parts(work, out)
        for model in (*MODELS, LARGE):
            if not (out / f"velocity.{model}.safetensors").exists():
                compute_network(work, out, model)
        for model in MODELS:
            if not (out / f"{model}.png").exists():
                compute_picture(work, out, model)
    return listed


def load_parts(work):
    parts = work / "parts"
    return (AutoencoderKL.from_pretrained(parts / "vae").eval(),
            Dinov2Model.from_pretrained(parts / "source_encoder").eval(),
            Dinov2Model.from_pretrained(parts / "pose_encoder").eval())


def compute_parts(work, out):
    vae, source, pose = load_parts(work)
    image = torch.tanh(torch.nn.functional.interpolate(
        normal("real.image", 1, 3, 32, 32), scale_factor=8, mode="bicubic"))
    reference.write_tensors(out / "vae.encode.256.safetensors", image=image,
                            latent=reference.encode(vae, image))
    for size in (256, 512):
        latent = normal("real.latent", 1, 4, size // 8, size // 8)
        reference.write_tensors(out / f"vae.decode.{size}.safetensors", latent=latent,
                                image=reference.decode(vae, latent))
    pixels = normal("real.pixels", 1, 3, 224, 224)
    for name, model in (("dinov2-b", source), ("dinov2-s", pose)):
        reference.write_tensors(out / f"{name}.224.safetensors", pixel_values=pixels,
                                last_hidden_state=reference.features(model, pixels))


def compute_network(work, out, name):
    """Conditions and velocities at batch 2."""
    model = rpfm.RPFMTransformer2DModel.from_pretrained(work / name / "transformer")
    z, z_s, z_p = normal(f"real.{name}.z", 3, 2, 4, *model.latent_size)
    given = dict(z_s=z_s, z_p=z_p, g_s=normal("real.g_s", 2, 257, 768),
                 g_p=normal("real.g_p", 2, 257, 384))
    cond = model.aggregate(**given)
    reference.write_tensors(out / f"condition.{name}.safetensors", **given, cond=cond)
    t = torch.tensor([0.25, 0.8])
    reference.write_tensors(
        out / f"velocity.{name}.safetensors", z=z, t=t, z_s=z_s, z_p=z_p, cond=cond,
        velocity=model.velocity(z, t, z_s, z_p, cond))


def compute_picture(work, out, name):
    """A whole synthesis."""
    model = rpfm.RPFMTransformer2DModel.from_pretrained(work / name / "transformer")
    picture, points = source_picture("real.png", 256, 256), keypoints(256, 256)
    stages = reference.synthesize(
        work / name, *load_parts(work), model, picture, points, SEED, SETTINGS)
    picture.save(out / "source.png")
    reference.write_json(out / "pose.json", points)
    Image.fromarray(stages["picture"].numpy()).save(out / f"{name}.png")


# posekit


def posekit(options, backend, *arguments):
    backend, _, dtype = backend.partition("/")
    command = [options.posekit, *map(str, arguments), "--backend", backend]
    command += ["--dtype", dtype] if dtype else []
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def split(part, tensors):
    """Inputs and the name of the output of a part's golden."""
    output = {"vae.encode": "latent", "vae.decode": "image", "condition": "cond",
              "velocity": "velocity"}.get(part, "last_hidden_state")
    return {k: v for k, v in tensors.items() if k != output}, output


def part_error(options, work, name, model, part, backend):
    expected = load_file(work / "expected" / f"{name}.safetensors")
    inputs, output = split(part, expected)
    given, answer = work / "in.safetensors", work / "out.safetensors"
    reference.write_tensors(given, **inputs)
    answer.unlink(missing_ok=True)
    posekit(options, backend, "run", part, "--model", work / model, "--in", given, "--out", answer)
    got, wanted = load_file(answer)[output].double(), expected[output].double()
    if got.shape != wanted.shape:
        raise RuntimeError(f"{name}: expected {tuple(wanted.shape)}, got {tuple(got.shape)}")
    return float((got - wanted).norm() / wanted.norm())


def psnr(one, two):
    pictures = [np.asarray(Image.open(p).convert("RGB"), dtype=np.float64) for p in (one, two)]
    error = np.mean((pictures[0] - pictures[1]) ** 2)
    return float(10 * np.log10(255.0**2 / max(error, 1e-6)))  # 108 for equal pictures


def solve_psnr(options, work, model, backend):
    expected, out = work / "expected", work / f"{model}.{backend.replace('/', '-')}.png"
    posekit(options, backend, "synthesize", "--model", work / model, "--source", expected / "source.png",
            "--pose", expected / "pose.json", "--out", out, "--solver", "heun", "--steps", 8,
            "--guidance", 1.1, "--seed", SEED)
    return psnr(expected / f"{model}.png", out)


def attempt(results, what, backend, target, measure, better):
    try:
        value = measure()
        entry = {"value": value, "ok": bool(better(value, target))}
    except (RuntimeError, OSError, KeyError) as error:
        entry = {"value": None, "ok": False, "error": str(error)}
    results.append({"what": what, "backend": backend, "target": target, **entry})
    shown = "failed: " + entry["error"] if "error" in entry else f"{entry['value']:.3g}"
    met = "yes" if entry["ok"] else "NO"
    print(f"| {what} | {backend} | {shown} | {target:g} | {met} |", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posekit", required=True, help="the built tool")
    parser.add_argument("--work", type=Path, required=True, help="a folder outside the repository")
    parser.add_argument("--backends", default="cpu/f32,cpu/bf16")
    parser.add_argument("--json", help="where the results go")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    build_models(options.work)
    listed = cases(options.work)
    results = []
    print("| what | backend | relative L2 error, or PSNR in dB | target | met |")
    print("| --- " * 5 + "|")
    for backend in options.backends.split(","):
        target = PART_TARGET.get(backend, OTHER_PART_TARGET)
        for case in listed:
            attempt(results, case[0], backend, target,
                    lambda: part_error(options, options.work, *case, backend), lambda v, t: v <= t)
        decibels = SOLVE_TARGET_DB.get(backend, OTHER_SOLVE_TARGET_DB)
        for model in MODELS:
            attempt(results, f"solve.{model}", backend, decibels,
                    lambda: solve_psnr(options, options.work, model, backend), lambda v, t: v >= t)
    if options.json:
        Path(options.json).write_text(json.dumps({"results": results}, indent=1) + "\n")
    sys.exit(0 if all(r["ok"] for r in results) else 1)


if __name__ == "__main__":
    main()
