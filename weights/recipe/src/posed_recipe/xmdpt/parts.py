"""The parts around X-MDPT's transformer: its image encoders and its autoencoder, checked and written anew."""

import json
import math
from pathlib import Path

import diffusers
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import save_file

from posed_recipe.errors import RecipeError
from posed_recipe.weights import read_tensors, write_json
from posed_recipe.xmdpt import checkpoint

# The reference adds this to a side of the grid when it interpolates positions; its checkpoints learnt so.
OFFSET = 0.1


def config_of(folder, kinds):
    """`config.json` of a folder, of one of these classes."""
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise RecipeError(f"{folder}: config.json expected, but there is none")
    try:
        values = json.loads(path.read_text())
    except ValueError as error:
        raise RecipeError(f"{path}: JSON expected") from error
    names = [values.get("_class_name"), values.get("model_type"), *(values.get("architectures") or [])]
    if not any(name in kinds for name in names):
        raise RecipeError(f"{path}: one of {', '.join(kinds)} expected, but it is {names[0] or names[1]}")
    return values


def tensors_of(folder, stems):
    """A part's tensors, from safetensors or from a file of torch.save."""
    folder = Path(folder)
    for stem in stems:
        if any(folder.glob(f"{stem}*.safetensors*")):
            try:
                return read_tensors(folder, stem)
            except (SafetensorError, OSError, ValueError, KeyError) as error:
                raise RecipeError(f"{folder}: {stem}.safetensors cannot be read ({error})") from error
    for name in ("diffusion_pytorch_model.bin", "pytorch_model.bin"):
        if (folder / name).is_file():
            return checkpoint.read(folder / name)
    raise RecipeError(f"{folder}: {stems[0]}.safetensors expected, but there is none")


def check(folder, tensors, shapes, optional=()):
    """Refuses a part whose names or shapes differ."""
    wrong = [f"{name} is missing" for name in shapes if name not in tensors and name not in optional]
    wrong += [f"{name} is not expected" for name in tensors if name not in shapes]
    wrong += [f"{name} has shape {list(tensors[name].shape)}, but {list(shape)} is expected"
              for name, shape in shapes.items() if name in tensors and tuple(tensors[name].shape) != tuple(shape)]
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise RecipeError(f"{folder}: {len(wrong)} tensors do not fit: {'; '.join(wrong[:5])}{more}")


def encoder_shapes(config):
    """Every name in a Dinov2Model without registers, and its shape."""
    width, patch = config["hidden_size"], config.get("patch_size", 14)
    hidden = int(width * config.get("mlp_ratio", 4))
    grid = config.get("image_size", 224) // patch
    shapes = {
        "embeddings.cls_token": (1, 1, width), "embeddings.mask_token": (1, width),
        "embeddings.position_embeddings": (1, 1 + grid * grid, width),
        "embeddings.patch_embeddings.projection.weight": (width, config.get("num_channels", 3), patch, patch),
        "embeddings.patch_embeddings.projection.bias": (width,),
        "layernorm.weight": (width,), "layernorm.bias": (width,),
    }
    layers = {"attention.output.dense": (width, width)}
    layers.update({f"attention.attention.{name}": (width, width) for name in ("query", "key", "value")})
    if config.get("use_swiglu_ffn"):
        hidden = (int(hidden * 2 / 3) + 7) // 8 * 8
        layers.update({"mlp.weights_in": (2 * hidden, width), "mlp.weights_out": (width, hidden)})
    else:
        layers.update({"mlp.fc1": (hidden, width), "mlp.fc2": (width, hidden)})
    for index in range(config["num_hidden_layers"]):
        prefix = f"encoder.layer.{index}."
        for name, shape in layers.items():
            shapes[f"{prefix}{name}.weight"], shapes[f"{prefix}{name}.bias"] = shape, shape[:1]
        for name in ("norm1", "norm2"):
            shapes[f"{prefix}{name}.weight"] = shapes[f"{prefix}{name}.bias"] = (width,)
        for name in ("layer_scale1", "layer_scale2"):
            shapes[f"{prefix}{name}.lambda1"] = (width,)
    return shapes


def bake(positions, side):
    """Position embeddings [1, 1 + n, F] for side x side patches, interpolated as the reference does."""
    stored = math.isqrt(positions.shape[1] - 1)
    if stored == side:
        return positions
    grid = positions[:, 1:].float().reshape(1, stored, stored, -1).permute(0, 3, 1, 2)
    factor = (side + OFFSET) / stored
    grid = F.interpolate(grid, scale_factor=(factor, factor), mode="bicubic", antialias=False)
    return torch.cat([positions[:, :1].float(), grid.permute(0, 2, 3, 1).flatten(1, 2)], 1)


def read_encoder(folder, features, tokens, what):
    """A DINOv2 for a model that wants so many features and tokens: its configuration and its tensors."""
    config = config_of(folder, ("dinov2", "Dinov2Model"))
    if config.get("hidden_size") != features:
        raise RecipeError(
            f"{folder}: the checkpoint wants a {what} encoder of {features} features, but this one has "
            f"{config.get('hidden_size')}")
    tensors = tensors_of(folder, ("model",))
    check(folder, tensors, encoder_shapes(config), ("embeddings.mask_token",))
    side, patch = math.isqrt(tokens - 1), config.get("patch_size", 14)
    name = "embeddings.position_embeddings"
    tensors = dict(tensors)
    tensors.pop("embeddings.mask_token", None)
    tensors[name] = bake(tensors[name], side).to(tensors[name].dtype).contiguous()
    return {**config, "image_size": side * patch}, tensors


def preprocessor(config, mean, deviation, **more):
    """How an encoder wants its pictures: squeezed to its size without antialiasing."""
    side = config["image_size"]
    return {
        "image_processor_type": "BitImageProcessor", "do_convert_rgb": True,
        "do_resize": True, "size": {"height": side, "width": side}, "resample": 3, "antialias": False,
        "do_center_crop": False, "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": [mean] * 3, "image_std": [deviation] * 3, **more,
    }


def read_autoencoder(folder, channels):
    """An AutoencoderKL or AutoencoderTiny of so many latent channels: its configuration and its tensors."""
    if (Path(folder) / "vae" / "config.json").is_file():
        folder = Path(folder) / "vae"
    config = config_of(folder, ("AutoencoderKL", "AutoencoderTiny"))
    if config.get("latent_channels", 4) != channels:
        raise RecipeError(
            f"{folder}: latents of {channels} channels expected, but this autoencoder's have "
            f"{config.get('latent_channels')}")
    tensors = dict(tensors_of(folder, ("diffusion_pytorch_model",)))
    kind = getattr(diffusers, config["_class_name"])
    with torch.device("meta"):
        shapes = {name: tuple(t.shape) for name, t in kind.from_config(config).state_dict().items()}
    newer = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
    for name in list(tensors):
        parts = name.split(".")
        if "attentions" in parts and parts[-2] in newer:
            parts[-2] = newer[parts[-2]]
            tensor, name_now = tensors.pop(name), ".".join(parts)
            tensors[name_now] = tensor.reshape(shapes.get(name_now, tensor.shape))
    check(folder, tensors, shapes)
    return config, tensors


def write(folder, stem, config, tensors, dtype=None):
    """Writes a part: `config.json` and one file of weights, of a type or as they came."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    write_json(folder / "config.json", config)
    kept = {name: (tensor if dtype is None else tensor.to(dtype)).contiguous() for name, tensor in tensors.items()}
    save_file(kept, folder / f"{stem}.safetensors", {"format": "pt"})
