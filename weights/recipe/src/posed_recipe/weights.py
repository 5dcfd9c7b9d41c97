"""Reading and writing a part of a model folder: `config.json` and safetensors, one file or shards."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from posed_recipe.errors import RecipeError


def write_json(path, value):
    """Writes JSON as people like to read it, making the folder where there is none."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def read_tensors(folder, stem):
    """All tensors of `stem.safetensors`, or of the shards that its index names."""
    folder = Path(folder)
    single, index = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if single.exists():
        return load_file(single)
    if not index.exists():
        raise RecipeError(f"{folder}: {single.name} or {index.name} expected, but neither is there")
    tensors = {}
    for name in sorted(set(json.loads(index.read_text())["weight_map"].values())):
        tensors.update(load_file(folder / name))
    return tensors


def load_part(module, folder, stem, rename=None):
    """Fills `module` with a folder's weights in float32; every tensor must fit. Gives it back in eval mode."""
    tensors = read_tensors(folder, stem)
    if rename is not None:
        tensors = rename(tensors)
    own = module.state_dict()
    wrong = [f"{name} is missing" for name in own if name not in tensors]
    wrong += [f"{name} is not expected" for name in tensors if name not in own]
    wrong += [
        f"{name} has shape {list(tensors[name].shape)}, but {list(own[name].shape)} is expected"
        for name in own if name in tensors and tensors[name].shape != own[name].shape
    ]
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise RecipeError(f"{folder}: {len(wrong)} tensors do not fit: {'; '.join(wrong[:5])}{more}")
    module.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return module.float().eval()


def save_part(module, config, folder, stem, dtype=torch.float32, shard_bytes=None):
    """Writes `config` and the weights of `module`, in shards of at most `shard_bytes` where it is given."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", config)
    tensors = {
        name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in module.state_dict().items()
    }
    for old in folder.glob(f"{stem}*.safetensors*"):
        old.unlink()
    shards = split(tensors, shard_bytes)
    if len(shards) == 1:
        save_file(tensors, folder / f"{stem}.safetensors", {"format": "pt"})
        return
    where = {}
    for number, shard in enumerate(shards, 1):
        name = f"{stem}-{number:05}-of-{len(shards):05}.safetensors"
        save_file(shard, folder / name, {"format": "pt"})
        where.update(dict.fromkeys(shard, name))
    size = sum(byte_count(tensor) for tensor in tensors.values())
    write_json(folder / f"{stem}.safetensors.index.json",
               {"metadata": {"total_size": size}, "weight_map": where})


def split(tensors, shard_bytes):
    """The tensors in order, cut into dictionaries of at most `shard_bytes` (or one tensor) each."""
    shards, used = [{}], 0
    for name, tensor in tensors.items():
        size = byte_count(tensor)
        if shard_bytes is not None and shards[-1] and used + size > shard_bytes:
            shards.append({})
            used = 0
        shards[-1][name] = tensor
        used += size
    return shards


def byte_count(tensor):
    """Bytes of a tensor's values."""
    return tensor.numel() * tensor.element_size()
