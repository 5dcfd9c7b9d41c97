"""Writes the weights of LPIPS as `posekit eval --lpips` reads them, from the lpips package.

    python3 Tests/Goldens/export_lpips.py --net alex --out lpips-alex      # torch, torchvision, lpips
    python3 Tests/Goldens/export_lpips.py --golden                         # Tests/Goldens/lpips.json

The heads are the package's own (version 0.1); the backbone is torchvision's, which is downloaded unless
it is in torch's cache. `--golden` writes the distances that weights made by a formula give, which the
tests make too: they need no download.
"""

import argparse
import json
from pathlib import Path

import lpips
import numpy as np
import torch
from safetensors.torch import save_file

from make_vision import pattern

HERE = Path(__file__).resolve().parent


def tensors(model):
    """The tensors that the engine reads, by the package's names."""
    return {k: v.contiguous() for k, v in model.state_dict().items()
            if k.startswith("net.") or (k.startswith("lin") and not k.startswith("lins."))}


def export(net, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model = lpips.LPIPS(net=net, verbose=False)
    save_file(tensors(model), folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"net": net, "version": "0.1"}) + "\n")


def digest(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def formula(name, shape):
    """Weights that are a function of name and index: filters about 0, heads positive."""
    count = int(np.prod(shape))
    bits = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(digest(name))
    bits = (bits ^ (bits >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    unit = (bits >> np.uint32(8)).astype(np.float64) / 2**24
    if name.startswith("lin"):
        values = unit
    elif len(shape) == 1:
        values = 0.1 * (unit - 0.5)
    else:
        values = (unit - 0.5) * (12 / np.prod(shape[1:])) ** 0.5 * 2**0.5
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def golden():
    """Distances of two small pictures under the formula's weights."""
    result = {}
    for net, size in (("alex", (72, 64)), ("vgg", (36, 32))):
        model = lpips.LPIPS(net=net, pnet_rand=True, verbose=False).eval()
        state = model.state_dict()
        for name, tensor in tensors(model).items():
            state[name].copy_(formula(name, tuple(tensor.shape)))
        pictures = [torch.from_numpy(pattern(*size, seed).astype(np.float32) / 127.5 - 1)
                    .permute(2, 0, 1)[None] for seed in (1, 2)]
        with torch.no_grad():
            distance = model(*pictures)
        result[net] = {"width": size[0], "height": size[1], "distance": float(distance)}
    (HERE / "lpips.json").write_text(json.dumps(result, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=["alex", "vgg"], default="alex")
    parser.add_argument("--out", type=Path, help="the folder that is written")
    parser.add_argument("--golden", action="store_true", help="write the tests' distances instead")
    options = parser.parse_args()
    if options.golden:
        golden()
    elif options.out:
        export(options.net, options.out)
    else:
        parser.error("--out or --golden is needed")


if __name__ == "__main__":
    main()
