"""Compares posed's X-MDPT with the original class, with random weights, in float32.

    python3 Tests/Goldens/check_xmdpt.py --original FOLDER --posekit .build/release/posekit --size S

FOLDER is a checkout of github.com/trungpx/xmdpt. Needs torch, safetensors, numpy and the recipe on the path. Nothing of
that repository is kept: a checkpoint of drawn numbers is saved as theirs are, converted, and both are run on the
same inputs. `--few` also tells what a constant guidance and few evaluations change. `Tests/Peers/xmdpt.py` compares times.

    python3 Tests/Goldens/check_xmdpt.py --exact

needs neither: how near few evaluations come to DDIM with 50 steps where the noise in a state is known exactly.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from posed_recipe.weights import write_json
from posed_recipe.xmdpt import Schedule, checkpoint, ddim
from posed_recipe.xmdpt import solve as integrate

HERE = Path(__file__).resolve().parent


class PatchEmbed(nn.Module):
    """Stands in for timm's layer of that name, as far as it is used."""

    def __init__(self, img_size, patch_size, in_chans, embed_dim, bias=True):
        super().__init__()
        self.num_patches = (img_size // patch_size) ** 2
        self.patch_size = (patch_size, patch_size)
        self.proj = nn.Conv2d(in_chans, embed_dim, patch_size, patch_size, bias=bias)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Mlp(nn.Module):
    """Likewise."""

    def __init__(self, in_features, hidden_features, act_layer, drop=0.0):
        super().__init__()
        self.fc1, self.act = nn.Linear(in_features, hidden_features), act_layer()
        self.fc2 = nn.Linear(hidden_features, in_features)

    def forward(self, x):
        return self.fc2(self.act(self.fc1(x)))


def original(folder):
    """The original package, with stand-ins for the layers that it takes from timm."""
    timm, models = types.ModuleType("timm"), types.ModuleType("timm.models")
    vit, layers = types.ModuleType("timm.models.vision_transformer"), types.ModuleType("timm.models.layers")
    vit.PatchEmbed, vit.Mlp, layers.trunc_normal_ = PatchEmbed, Mlp, nn.init.trunc_normal_
    sys.modules.update({"timm": timm, "timm.models": models, vit.__name__: vit, layers.__name__: layers})
    if "einops" not in sys.modules:
        einops = types.ModuleType("einops")
        einops.rearrange = None  # only its training uses it
        sys.modules["einops"] = einops
    sys.path.insert(0, str(folder))
    import masked_diffusion
    import masked_diffusion.models as models

    return masked_diffusion, models


def randomise(model, seed=0):
    """Draws every parameter; none stays at its neutral start."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1:
                scale, offset = 0.1, 1.0 if name.endswith(".2.weight") else 0.0
            elif "pos_embed" in name or "bias_table" in name:
                scale, offset = 0.5, 0.0
            else:
                scale, offset = parameter[0].numel() ** -0.5, 0.0
                scale *= 0.5 if "adaLN" in name else 1.0
            parameter.copy_(offset + scale * noise)
    return model.eval()


class Ours:
    """The converted model, computed by posekit."""

    def __init__(self, posekit, folder, options):
        self.posekit, self.folder, self.options = posekit, folder, options

    def run(self, part, output, *more, **tensors):
        source, result = self.folder / "in.safetensors", self.folder / "out.safetensors"
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, source)
        subprocess.run(
            [self.posekit, "run", part, "--model", self.folder / "model", "--in", source, "--out", result,
             *self.options, *more], check=True)
        return load_file(result)[output]


def model_folder(path, folder):
    """A model folder whose transformer is the checkpoint's; its other parts are only there to be listed."""
    folder.mkdir()
    model = checkpoint.load(path)
    model.save_pretrained(folder / "transformer")
    for part in ("vae", "source_encoder", "pose_encoder"):
        (folder / part).symlink_to(HERE / "tiny" / part)
    write_json(folder / "model_index.json", {"_class_name": "XMDPTPipeline", "format_version": 1})
    write_json(folder / "sampler" / "config.json", {"solver": "euler", "steps": 8, "guidance_scale": 2.0})
    return model


def tell(name, value):
    """Progress, for those who wait."""
    print(f"{name}: {value}", file=sys.stderr, flush=True)


def relative(ours, theirs):
    """Largest difference over the largest value."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


def decibels(ours, theirs):
    """Signal to noise of latents, the signal being the span of values."""
    span = float(theirs.max() - theirs.min())
    return 20 * np.log10(span / float((ours - theirs).pow(2).mean().sqrt()))


def compare(package, theirs, ours, with_few, rows=2):
    """Velocity of both branches, and a solve of 50 steps."""
    generator = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(*shape, generator=generator)
    given = {"z_s": draw(rows, 4, 32, 32), "g_s": draw(rows, 257, 1536), "g_p": draw(rows, 257, 768)}
    z = draw(rows, 4, 32, 32)
    cond = ours.run("condition", "cond", **given)
    schedule, result = Schedule(), {}
    steps = torch.tensor([999, 510])[:rows]
    times = torch.tensor([schedule.tau(int(step)) for step in steps])
    own = [schedule.step(float(time)) for time in times]
    r = torch.hypot(times, 1 - times)[:, None, None, None]
    for name, drop, more in (("conditional", 0, {"cond": cond}), ("empty", 1, {})):
        eps = theirs(z / r, torch.tensor(own, dtype=torch.float64), False, given["g_p"], given["g_s"], given["z_s"],
                     drop)[:, :4]
        expected = (z - eps) / times[:, None, None, None]
        result[name] = relative(ours.run("velocity", "velocity", z=z, t=times, **more), expected)
        tell(name, result[name])
    arguments = dict(cfg_scale=2.0, scale_pow=0.0, dino_tgt_pose=given["g_p"], dino_src_img=given["g_s"],
                     src_img=given["z_s"])
    diffusion = package.create_diffusion("50")
    latent = diffusion.ddim_sample_loop(
        theirs.forward_with_cfg, z.shape, z, clip_denoised=False, model_kwargs=arguments, device="cpu")
    latent = latent[:, :4]
    grid = ours.folder / "grid.json"
    grid.write_text(json.dumps(schedule.grid(50)))
    euler = ["--solver", "euler", "--guidance", "2", "--time-grid", grid]
    result["ddim50_db"] = decibels(ours.run("solve", "latent", *euler, z0=z, cond=cond), latent)
    tell("ddim50_db", result["ddim50_db"])
    if not with_few:
        return result
    arguments["scale_pow"] = 0.01
    scaled = diffusion.ddim_sample_loop(
        theirs.forward_with_cfg, z.shape, z, clip_denoised=False, model_kwargs=arguments, device="cpu")[:, :4]
    result["constant_guidance_db"] = decibels(latent, scaled)
    result["few"] = few(ours, z, cond, latent)
    return result


def few(ours, z, cond, latent):
    """How near solves of few evaluations come to DDIM's latent."""
    found = {}
    for solver, cost in (("euler", 1), ("midpoint", 2), ("rk4", 4)):
        for evaluations in (8, 12, 16, 24, 32, 48, 64):
            options = ["--solver", solver, "--steps", str(evaluations // cost), "--guidance", "2"]
            name = f"{solver} {evaluations}"
            found[name] = decibels(ours.run("solve", "latent", *options, z0=z, cond=cond), latent)
            tell(name, found[name])
    return found


class Mixture:
    """In a network's place: the expected noise in a state, of twelve Gaussians in 32 dimensions."""

    def __init__(self, schedule, count=12, size=32, spread=0.25):
        generator = torch.Generator().manual_seed(0)
        self.means = torch.randn(count, size, generator=generator, dtype=torch.float64)
        self.variance, self.logs = spread**2, torch.tensor(schedule.sigmas).log()

    def __call__(self, x, steps, cond):
        low = min(int(steps[0]), len(self.logs) - 2)
        log = self.logs[low] + (float(steps[0]) - low) * (self.logs[low + 1] - self.logs[low])
        sigma = math.exp(float(log))
        data, noise = 1 / math.hypot(1, sigma), sigma / math.hypot(1, sigma)
        variance = data**2 * self.variance + noise**2
        gap = x[:, None] - data * self.means
        share = (-gap.pow(2).sum(-1) / (2 * variance)).softmax(-1)
        return noise / variance * (share[..., None] * gap).sum(1)


def exact():
    """Decibels to DDIM with 50 steps, and of that to a fine solution."""
    schedule = Schedule()
    model, cond = Mixture(schedule), torch.zeros(256, 1)
    noise = torch.randn(256, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    reference = ddim(model, noise, cond, 50, 1, schedule)
    fine = integrate(model, noise, cond, schedule.uniform(1000), "rk4", 1, schedule)
    found = {"ddim50 to the exact solution": decibels(reference, fine)}
    for solver, cost in (("euler", 1), ("midpoint", 2), ("rk4", 4)):
        for evaluations in (8, 12, 16, 24, 32, 48):
            latent = integrate(model, noise, cond, schedule.uniform(evaluations // cost), solver, 1, schedule)
            found[f"{solver} {evaluations}"] = decibels(latent, reference)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--original", type=Path)
    parser.add_argument("--posekit", type=Path)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--size", choices=["S", "B", "L"], default="S")
    parser.add_argument("--few", action="store_true", help="also the guidance that grows, and few evaluations")
    parser.add_argument("rest", nargs="*", help="options of posekit, after --")
    options = parser.parse_args()
    if options.exact:
        print(json.dumps(exact(), indent=2))
        return
    if options.original is None or options.posekit is None:
        parser.error("--original and --posekit are needed, or --exact")
    package, models = original(options.original)
    theirs = randomise(getattr(models, f"XMDPT_{options.size}_2")(input_size=32, decode_layer=2))
    with torch.no_grad(), tempfile.TemporaryDirectory() as work:
        work = Path(work)
        torch.save(theirs.state_dict(), work / "ema.pt")
        model_folder(work / "ema.pt", work / "model")
        result = compare(package, theirs, Ours(options.posekit, work, options.rest), options.few)
    print(json.dumps({"size": options.size, **result}, indent=2))


if __name__ == "__main__":
    main()
