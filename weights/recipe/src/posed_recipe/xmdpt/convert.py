"""A published X-MDPT checkpoint and the parts around it, as a model folder of posed."""

import os
import shutil
import tempfile
from pathlib import Path

import torch

from posed_recipe.errors import RecipeError
from posed_recipe.weights import write_json
from posed_recipe.xmdpt import checkpoint, parts
from posed_recipe.xmdpt.model import CLASS

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}

SAMPLER = {"solver": "midpoint", "steps": 8, "guidance_scale": 2.0, "last_step_first_order": False}

CARD = """# X-MDPT {size}
Converted by `posed-recipe convert xmdpt` for `posed`. Nothing here was trained by this project.

| part | from |
| --- | --- |
| transformer | `{checkpoint}`: {parameters:,} parameters; width {width}, {depth} blocks, {heads} heads |
| vae | `{vae}` |
| source_encoder | `{source}`, positions baked for {source_side} pixels |
| pose_encoder | `{pose}`, positions baked for {pose_side} pixels |

What training alone uses (mask token, side blocks, the variance's half of the head) was left out.

## How it wants its pictures
256×256 pixels, made by squeezing pictures of the proportion 176:256 to a square; a photo of another proportion is
cropped to it first. For natural proportions, squeeze what comes out to 176×256. The first source picture alone counts.

## Licences
- The method's repository is under Apache-2.0. The published weights carry no licence statement of their own. They were
  trained on DeepFashion's In-shop pictures, whose agreement allows non-commercial research only. Use them for
  research, not commercially, and ask their authors for anything else. Do not publish this folder.
- DINOv2: Apache-2.0. `sd-vae-ft-mse` and TAESD: MIT. Check what you were given.
"""


def convert(checkpoint_path, vae, source_encoder, pose_encoder, out, dtype=None):
    """Writes the model folder `out`, all of it or nothing. Gives what it holds."""
    out = Path(out)
    if out.exists():
        raise RecipeError(f"{out}: a folder that is not there yet expected, but there is one")
    model = checkpoint.load(checkpoint_path)
    config = model.config
    folders = {"source": source_encoder, "pose": pose_encoder}
    wanted = {
        "source": (config.source_encoder_dim, config.source_encoder_tokens),
        "pose": (config.pose_encoder_dim, config.pose_encoder_tokens),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        parts.write(work / "transformer", "diffusion_pytorch_model", config.to_dict(), model.state_dict(),
                    DTYPES[dtype] if dtype else None)
        sides = {}
        for name, folder in folders.items():
            part = work / f"{name}_encoder"
            values, tensors = parts.read_encoder(folder, *wanted[name], name)
            parts.write(part, "model", values, tensors, DTYPES[dtype] if dtype else None)
            sides[name] = values["image_size"]
            normal = (0.5, 0.5) if name == "source" else (0.0, 1.0)
            more = {} if name == "source" else {"rescale_by_maximum": True}
            write_json(part / "preprocessor_config.json", parts.preprocessor(values, *normal, **more))
            del tensors
        kind = write_autoencoder(work, vae, config.in_channels, DTYPES[dtype] if dtype else None)
        write_rest(work, kind)
        (work / "README.md").write_text(CARD.format(
            size=size_of(config), checkpoint=Path(checkpoint_path).name, vae=vae, source=source_encoder,
            pose=pose_encoder, width=config.hidden_size, depth=config.depth, heads=config.num_heads,
            parameters=sum(p.numel() for p in model.parameters()), source_side=sides["source"],
            pose_side=sides["pose"]))
        os.chmod(work, 0o755)
        work.rename(out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return {"model": str(out), "size": size_of(config)}


def write_autoencoder(work, vae, channels, dtype):
    """The part `vae`; gives its class."""
    config, tensors = parts.read_autoencoder(vae, channels)
    parts.write(work / "vae", "diffusion_pytorch_model", config, tensors, dtype)
    return config["_class_name"]


def write_rest(work, autoencoder):
    """The files that say how the parts work together."""
    write_json(work / "model_index.json", {
        "_class_name": "XMDPTPipeline", "format_version": 1,
        "vae": ["diffusers", autoencoder],
        "source_encoder": ["transformers", "Dinov2Model"], "pose_encoder": ["transformers", "Dinov2Model"],
        "transformer": ["posed", CLASS],
        "source_fit": "crop", "picture_aspect": 0.6875,
    })
    write_json(work / "sampler" / "config.json", SAMPLER)
    write_json(work / "pose_drawer" / "config.json", {
        "_class_name": "PoseDrawer", "body": "xmdpt", "hands": False, "face": False})


def size_of(config):
    """S, B or L, or the numbers."""
    known = {(384, 12): "S", (768, 12): "B", (1024, 24): "L", (1152, 28): "XL"}
    return known.get((config.hidden_size, config.depth), f"h{config.hidden_size}d{config.depth}")
