"""Writes the weights of FID's Inception as `posekit eval --fid` reads them, from the file that pytorch-fid loads.

    python3 Tests/Goldens/export_inception.py --weights pt_inception-2015-12-05-6726825d.pth --out fid-inception
    python3 Tests/Goldens/export_inception.py --golden                     # Tests/Goldens/inception.json

Needs torch, torchvision, safetensors and pytorch-fid. Only tensors are read from the file. `--golden` writes the
features that weights made by a formula give, which the tests make too: they need no download.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from pytorch_fid import inception
from safetensors.torch import save_file

from make_vision import pattern

HERE = Path(__file__).resolve().parent


def export(weights, folder):
    folder.mkdir(parents=True, exist_ok=True)
    state = torch.load(weights, map_location="cpu", weights_only=True)
    kept = {name: tensor.float().contiguous() for name, tensor in state.items() if ".conv." in name or ".bn." in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"_class_name": "FIDInceptionV3"}) + "\n")


def digest(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def formula(name, shape):
    """Weights that are a function of name and index: filters about 0, normalizations about their identity."""
    bits = np.arange(int(np.prod(shape)), dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(digest(name))
    bits = (bits ^ (bits >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    unit = (bits >> np.uint32(8)).astype(np.float64) / 2**24
    if name.endswith(("running_var", "bn.weight")):
        values = 0.5 + unit
    elif len(shape) == 1:
        values = 0.2 * (unit - 0.5)
    else:
        values = (unit - 0.5) * (12 / np.prod(shape[1:])) ** 0.5 * 2**0.5
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def network():
    """FID's network with the formula's weights, and those weights by their names in the published file."""
    plain = inception._inception_v3(num_classes=1008, aux_logits=False, weights=None)
    kept = inception.load_state_dict_from_url, inception._inception_v3
    found = {}

    def load(*_, **__):
        # The blocks are FID's by now: their names and shapes are the file's.
        return {name: formula(name, tuple(tensor.shape)) if tensor.dtype == torch.float32 else tensor
                for name, tensor in found["model"].state_dict().items()}

    def make(*_, **__):
        found["model"] = plain
        return plain

    inception.load_state_dict_from_url, inception._inception_v3 = load, make
    model = inception.InceptionV3([3]).eval()
    inception.load_state_dict_from_url, inception._inception_v3 = kept
    return model, {name: tensor for name, tensor in load().items() if tensor.dtype == torch.float32}


def golden():
    """Some features of two pictures under the formula's weights, and the mean of all."""
    model, _ = network()
    result = []
    for width, height, seed in ((64, 64, 1), (176, 256, 2)):
        picture = torch.from_numpy(pattern(width, height, seed)).permute(2, 0, 1)[None].float() / 255
        with torch.no_grad():
            features = model(picture)[0].flatten().double().numpy()
        assert features.shape == (2048,)
        result.append({"width": width, "height": height, "seed": seed, "mean": float(features.mean()),
                       "every16th": [float(f"{value:.9g}") for value in features[::16]]})
    (HERE / "inception.json").write_text(json.dumps(result) + "\n")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="the file that pytorch-fid loads")
    parser.add_argument("--out", type=Path, help="the folder that is written")
    parser.add_argument("--golden", action="store_true", help="write the tests' features instead")
    options = parser.parse_args()
    if options.golden:
        golden()
    elif options.weights and options.out:
        export(options.weights, options.out)
    else:
        parser.error("--weights and --out, or --golden, are needed")


if __name__ == "__main__":
    main()
