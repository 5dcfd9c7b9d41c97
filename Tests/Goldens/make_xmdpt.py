"""Makes the small X-MDPT model and its goldens: `python3 Tests/Goldens/make_xmdpt.py`.

Needs what make_models.py needs, the recipe on the path (`pip install -e weights/recipe`) and opencv-python-headless,
which the drawing is equal to. A checkpoint of drawn numbers, with all that a published one has, is converted by
`posed-recipe convert xmdpt`; the recipe's restatement of the model says what it should compute.
"""

import hashlib
import json
import math
import os
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from transformers import Dinov2Config, Dinov2Model

import make_models
import reference
import rpfm
from posed_recipe.xmdpt import Schedule, XMDPTConfig, XMDPTTransformer2DModel, checkpoint, convert, solve

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "tiny-xmdpt"
CONFIG = XMDPTConfig(
    hidden_size=32, depth=3, num_heads=2, mlp_ratio=2.0, sample_size=8, source_encoder_dim=32,
    source_encoder_tokens=17, pose_encoder_dim=16, pose_encoder_tokens=17)
SIDE = 64


def tensors():
    """A checkpoint as they are published."""
    drawn = {}
    for name, shape in checkpoint.expected(CONFIG).items():
        if name.endswith("relative_position_index"):
            drawn[name] = checkpoint.relative_index(CONFIG.side)
        else:
            drawn[name] = make_models.spread(f"xmdpt.{name}", torch.zeros(shape))
    return drawn


def encoder(name, width, **changes):
    """A small DINOv2 whose positions have to be baked."""
    config = Dinov2Config(
        hidden_size=width, num_hidden_layers=1, num_attention_heads=2, mlp_ratio=2, image_size=98, patch_size=14,
        **changes)
    return make_models.randomise(Dinov2Model(config), f"xmdpt.{name}")


def draw_pose(joints):
    """X-MDPT's drawing of joints [x, y] or None in pixels, by OpenCV: uint8 [H, W, 3], RGB."""
    canvas = np.zeros((*draw_pose.size, 3), np.uint8)
    limbs = [(a - 1, b - 1) for a, b in rpfm.LIMBS]
    for joint, color in zip(joints, rpfm.COLOURS):
        if joint is not None:
            cv2.circle(canvas, (int(joint[0]), int(joint[1])), 4, color, thickness=-1)
    for (a, b), color in zip(limbs, rpfm.COLOURS):
        if joints[a] is None or joints[b] is None:
            continue
        (x0, y0), (x1, y1) = joints[a], joints[b]
        length, angle = math.hypot(y0 - y1, x0 - x1), math.degrees(math.atan2(y0 - y1, x0 - x1))
        middle = (int((x0 + x1) / 2), int((y0 + y1) / 2))
        polygon = cv2.ellipse2Poly(middle, (int(length / 2), 4), int(angle), 0, 360, 1)
        painted = canvas.copy()
        cv2.fillConvexPoly(painted, polygon, color)
        canvas = cv2.addWeighted(canvas, 0.4, painted, 0.6, 0)
    return np.ascontiguousarray(canvas[:, :, ::-1])


draw_pose.size = (SIDE, SIDE)


def drawings():
    """Poses and the digests of their drawings, 256x256: people, and joints anywhere, also outside."""
    draw_pose.size = (256, 256)
    random = np.random.default_rng(5)
    cases = [[[128, 40], [127, 62], [104, 63], [95, 100], [92, 135], [150, 62], [160, 98], [168, 130], [112, 128],
              [110, 180], [108, 231], [140, 128], [143, 181], None, [122, 35], [134, 35], [115, 38], [141, 38]]]
    cases[0] = [None if p is None else [(p[0] - 40) * 256 / 176, float(p[1])] for p in cases[0]]
    for margin in (-10, 0, 60):
        for _ in range(12):
            cases.append([
                None if random.random() < 0.15 else
                [round(float(v), 3) for v in random.uniform(-margin, 256 + margin, 2)] for _ in range(18)])
    for length in (0.4, 1.7, 3.2, 8.5):  # limbs that are hardly longer than wide, or not at all
        cases.append([None, [100.3, 90.6], [100.3 + length, 90.1], *[None] * 15])
    found = [{"joints": joints, "sha256": hashlib.sha256(draw_pose(joints).tobytes()).hexdigest()} for joints in cases]
    (HERE / "vision" / "xmdpt-drawings.json").write_text(json.dumps(found) + "\n")
    draw_pose.size = (SIDE, SIDE)


def pixel_values(picture, side, mean, deviation, by_maximum=False):
    """What an encoder is given, as the reference makes it: [1, 3, side, side]."""
    values = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None]
    values = values / (max(float(picture.max()), 1) if by_maximum else 255)
    return F.interpolate((values - mean) / deviation, size=(side, side), mode="bicubic", align_corners=False)


def write_model():
    """The folder, through the converter."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        torch.save(tensors(), work / "ema.pt")
        encoder("source", 32, use_swiglu_ffn=True).save_pretrained(work / "source")
        encoder("pose", 16).save_pretrained(work / "pose")
        convert(work / "ema.pt", HERE / "tiny" / "vae", work / "source", work / "pose", FOLDER)
    shutil.rmtree(FOLDER / "vae")
    (FOLDER / "vae").symlink_to(os.path.relpath(HERE / "tiny" / "vae", FOLDER))
    (FOLDER / "README.md").unlink()
    loaded = [Dinov2Model.from_pretrained(FOLDER / f"{name}_encoder").eval() for name in ("source", "pose")]
    return XMDPTTransformer2DModel.from_pretrained(FOLDER / "transformer"), *loaded


def write_parts(model):
    """Condition, network and solves."""
    normal = lambda what, *shape: make_models.normal(f"xmdpt.{what}", *shape)
    write = lambda case, **given: reference.write_tensors(FOLDER / "expected" / f"{case}.safetensors", **given)
    schedule = Schedule()
    given = {"z_s": normal("z_s", 2, 4, 8, 8), "g_s": normal("g_s", 2, 17, 32), "g_p": normal("g_p", 2, 17, 16)}
    cond = model.condition(**given)
    write("condition", **given, cond=cond)
    z, t = normal("z", 3, 4, 8, 8), torch.tensor([0.0063129, 0.31, 1.0])
    r = torch.hypot(t, 1 - t)[:, None, None, None]
    steps = torch.tensor([schedule.step(float(time)) for time in t], dtype=torch.float64)
    vectors = normal("cond", 3, 32)
    for case, vector in (("velocity", vectors), ("velocity.empty", torch.zeros_like(vectors))):
        velocity = (z - model(z / r, steps, vector)) / t[:, None, None, None]
        write(case, z=z, t=t, velocity=velocity, **({"cond": vector} if case == "velocity" else {}))
    z0 = normal("z0", 1, 4, 8, 8)
    for case, solver, grid, more in (
            ("ddim", "euler", schedule.grid(50), {"time_grid": schedule.grid(50)}),
            ("midpoint", "midpoint", schedule.uniform(8), {"steps": 8})):
        latent = solve(model, z0, cond[:1], grid, solver, 2.0, schedule)
        write(f"solve.{case}", z0=z0, cond=cond[:1], latent=latent)
        reference.write_json(FOLDER / "expected" / f"solve.{case}.json", {"solver": solver, "guidance": 2.0, **more})


def write_synthesis(model, source, pose):
    """The whole way from a picture and joints to a picture."""
    from diffusers import AutoencoderKL

    vae = AutoencoderKL.from_pretrained(FOLDER / "vae").eval()
    picture = make_models.source_picture("xmdpt.png", SIDE, SIDE)
    joints = [[x, y, c] for x, y, c in make_models.keypoints(SIDE, SIDE)]
    joints[4] = [-1, -1, 0]
    drawn = draw_pose([None if c < 0.05 else (x, y) for x, y, c in joints])
    seen = np.array(picture)
    stages = {
        "picture_s": torch.from_numpy(seen), "picture_p": torch.from_numpy(drawn),
        "pixel_values_s": pixel_values(seen, 56, 0.5, 0.5),
        "pixel_values_p": pixel_values(drawn, 56, 0.0, 1.0, by_maximum=True),
    }
    chw = torch.from_numpy(seen.astype(np.float32)).permute(2, 0, 1)[None]
    stages["z_s"] = reference.encode(vae, chw / 127.5 - 1)
    stages["g_s"] = reference.features(source, stages["pixel_values_s"])
    stages["g_p"] = reference.features(pose, stages["pixel_values_p"])
    stages["cond"] = model.condition(stages["z_s"], stages["g_s"], stages["g_p"])
    stages["z0"] = torch.from_numpy(rpfm.noise(11, (4, 8, 8)))[None]
    schedule = Schedule()
    stages["latent"] = solve(model, stages["z0"], stages["cond"], schedule.uniform(8), "midpoint", 2.0, schedule)
    image = reference.decode(vae, stages["latent"])
    answer = rpfm.to_picture(image[0])
    folder = FOLDER / "expected" / "synthesize"
    reference.write_tensors(folder / "stages.safetensors", **stages, picture=torch.from_numpy(answer))
    picture.save(folder / "source.png")
    Image.fromarray(answer).save(folder / "output.png")
    reference.write_json(folder / "pose.json", joints)
    reference.write_json(folder / "settings.json", {"seed": 11})


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    with torch.no_grad():
        drawings()
        model, source, pose = write_model()
        write_parts(model)
        write_synthesis(model, source, pose)


if __name__ == "__main__":
    main()
