"""A published checkpoint of X-MDPT: reading it safely, and holding it to every name and shape."""

import math
import pickle
from pathlib import Path

import torch

from posed_recipe.errors import RecipeError
from posed_recipe.xmdpt.model import XMDPTConfig, XMDPTTransformer2DModel, relative_index

# What training alone uses.
DROPPED = ("mask_token", "sideblocks.", "sideblocks_cross.")


def read(path):
    """The tensors of a file that torch.save wrote; nothing else in it is ever run."""
    path = Path(path)
    if not path.is_file():
        raise RecipeError(f"{path}: a checkpoint file expected, but there is none")
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = next((line for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line), "")
        raise RecipeError(
            f"{path}: a file of tensors expected, but its pickle names other things or is damaged"
            + (f" ({reason.strip()[:160]})" if reason else "")) from error
    except (RuntimeError, EOFError, ValueError, OSError, KeyError, TypeError, AttributeError) as error:
        raise RecipeError(
            f"{path}: a file of torch.save expected, but it cannot be read ({str(error).splitlines()[0][:160]})"
        ) from error
    if not isinstance(values, dict) or not all(
            isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in values.items()):
        raise RecipeError(f"{path}: names and their tensors expected, and nothing beside them")
    return values


def shape_of(tensors, name, rank, path):
    """The shape of a tensor that must be there."""
    if name not in tensors:
        raise RecipeError(f"{path}: an X-MDPT checkpoint expected, but it has no tensor {name}")
    shape = tuple(tensors[name].shape)
    if len(shape) != rank:
        raise RecipeError(f"{path}: {name} must have {rank} dimensions, but its shape is {list(shape)}")
    return shape


def config_of(tensors, path):
    """The sizes of a checkpoint, read off its shapes."""
    _, tokens, width = shape_of(tensors, "pos_embed", 3, path)
    _, channels, patch, _ = shape_of(tensors, "x_embedder.proj.weight", 4, path)
    _, heads = shape_of(tensors, "blocks.0.attn.rel_pos_bias.relative_position_bias_table", 2, path)
    hidden, _ = shape_of(tensors, "blocks.0.mlp.fc1.weight", 2, path)
    _, source = shape_of(tensors, "mlp_dino_img.0.weight", 2, path)
    _, pose = shape_of(tensors, "mlp_dino_pose.0.weight", 2, path)
    _, source_tokens, _ = shape_of(tensors, "conv1d_global.0.weight", 3, path)
    _, pose_tokens, _ = shape_of(tensors, "conv1d_pose.0.weight", 3, path)
    depth = 1 + max(int(name.split(".")[1]) for name in tensors
                    if name.startswith("blocks.") and name.split(".")[1].isdigit())
    side = math.isqrt(tokens)
    if side * side != tokens or min(heads, patch, width) < 1 or width % heads or depth > 256:
        raise RecipeError(
            f"{path}: these sizes cannot be: {tokens} tokens of width {width}, {heads} heads, depth {depth}")
    return XMDPTConfig(
        hidden_size=width, depth=depth, num_heads=heads, sample_size=side * patch, patch_size=patch,
        in_channels=channels, mlp_ratio=hidden / width, source_encoder_dim=source,
        source_encoder_tokens=source_tokens, pose_encoder_dim=pose, pose_encoder_tokens=pose_tokens)


def expected(config):
    """Every name in a checkpoint of these sizes, and its shape."""
    with torch.device("meta"):
        used = XMDPTTransformer2DModel(config).state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in used.items()}
    width, tokens = config.hidden_size, config.tokens
    head = 2 * config.in_channels * config.patch_size**2
    shapes["final_layer.linear.weight"], shapes["final_layer.linear.bias"] = (head, width), (head,)
    shapes["mask_token"] = (1, 1, width)
    index = "attn.rel_pos_bias.relative_position_index"
    block = {name.removeprefix("blocks.0."): shape for name, shape in shapes.items()
             if name.startswith("blocks.0.")}
    for i in range(config.depth):
        shapes[f"blocks.{i}.{index}"] = (tokens, tokens)
    for name, shape in {**block, index: (tokens, tokens)}.items():
        shapes[f"sideblocks.0.{name}"] = shape
        if not name.startswith("attn.qkv."):
            shapes[f"sideblocks_cross.0.{name}"] = shape
    for layer, rows in (("to_q", width), ("to_kv", 2 * width)):
        shapes[f"sideblocks_cross.0.attn.{layer}.weight"] = (rows, width)
        shapes[f"sideblocks_cross.0.attn.{layer}.bias"] = (rows,)
    return shapes


def check(tensors, config, path):
    """Refuses a checkpoint that differs from X-MDPT's in a name, a shape or a type, or has a value that is none."""
    shapes = expected(config)
    wrong = [f"{name} is missing" for name in shapes if name not in tensors]
    wrong += [f"{name} is not expected" for name in tensors if name not in shapes]
    wrong += [f"{name} has shape {list(tensors[name].shape)}, but {list(shape)} is expected"
              for name, shape in shapes.items() if name in tensors and tuple(tensors[name].shape) != shape]
    index = relative_index(config.side)
    for name, tensor in tensors.items():
        if name.endswith("relative_position_index"):
            if tensor.shape == index.shape and not torch.equal(tensor.long(), index):
                wrong.append(f"{name} orders places in another way")
        elif not tensor.is_floating_point():
            wrong.append(f"{name} is {tensor.dtype}, but a float type is expected")
        elif not torch.isfinite(tensor).all():
            wrong.append(f"{name} has values that are not finite")
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise RecipeError(f"{path}: {len(wrong)} tensors are not X-MDPT's: {'; '.join(wrong[:5])}{more}")


def head_rows(config):
    """The rows of the head that make the noise, in the order channel, row, column: the checkpoint has row, column,
    then channel, and the noise's channels before the variance's."""
    channels, patch = config.in_channels, config.patch_size
    return [(place * 2 * channels) + channel for channel in range(channels) for place in range(patch * patch)]


def for_inference(tensors, config):
    """The tensors that inference needs, in float32."""
    rows = head_rows(config)
    kept = {}
    for name, tensor in tensors.items():
        if name.startswith(DROPPED) or name.endswith("relative_position_index"):
            continue
        tensor = tensor.detach().float()
        kept[name] = tensor[rows] if name.startswith("final_layer.linear.") else tensor
    return kept


def load(path):
    """A checkpoint as a model."""
    tensors = read(path)
    config = config_of(tensors, path)
    check(tensors, config, path)
    model = XMDPTTransformer2DModel(config)
    model.load_state_dict(for_inference(tensors, config))
    return model.eval()
