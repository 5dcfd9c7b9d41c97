"""The reference pipeline around `rpfm.py`: the other parts through diffusers and transformers, the
preprocessing through Pillow, and the files of a model's folder."""

import json

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil

import rpfm

# What the parts compute


def encode(vae, image):
    """The posterior's mean, shifted and scaled."""
    out = vae.encode(image)
    mean = out.latent_dist.mean if hasattr(out, "latent_dist") else out.latents
    return (mean - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor


def decode(vae, latent):
    return vae.decode(latent / vae.config.scaling_factor + (vae.config.shift_factor or 0.0)).sample


def features(encoder, pixels):
    """Class token and patch tokens, without the registers."""
    hidden = encoder(pixels).last_hidden_state
    registers = getattr(encoder.config, "num_register_tokens", 0)
    return torch.cat([hidden[:, :1], hidden[:, 1 + registers :]], dim=1)


def pixel_values(picture, part):
    """A PIL picture -> what the encoder in the folder `part` takes, by its own processor."""
    config = json.loads((part / "preprocessor_config.json").read_text())
    return BitImageProcessorPil(**config)(picture, return_tensors="pt")["pixel_values"]


def synthesize(folder, vae, source, pose, model, picture, keypoints, seed, settings):
    """The whole way from a PIL picture and keypoints to the answer; gives every stage.

    `folder` is the model's, read for the preprocessing; `pose` is None where the two share one.
    Both encoders see the 8-bit picture of the output's size, as the autoencoder does.
    """
    height, width = (8 * side for side in model.latent_size)
    own = "source_encoder" if pose is None else "pose_encoder"
    inputs = {
        "s": (picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC), source,
              "source_encoder"),
        "p": (Image.fromarray(rpfm.draw_pose(keypoints, height, width)), pose or source, own),
    }
    stages = {}
    for key, (image, encoder, part) in inputs.items():
        pixels = np.array(image)
        stages["picture_" + key] = torch.from_numpy(pixels)
        chw = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]
        stages["z_" + key] = encode(vae, chw / 127.5 - 1)
        stages["pixel_values_" + key] = pixel_values(image, folder / part)
        stages["g_" + key] = features(encoder, stages["pixel_values_" + key])
    given = {k: stages[k] for k in ("z_s", "z_p", "g_s", "g_p")}
    cond = model.aggregate(**given)
    z0 = torch.from_numpy(rpfm.noise(seed, given["z_p"].shape[1:]))[None]
    latent = rpfm.solve(model, z0, given["z_s"], given["z_p"], cond, **settings)
    image = decode(vae, latent)
    return {**stages, "cond": cond, "z0": z0, "latent": latent, "image": image,
            "picture": torch.from_numpy(rpfm.to_picture(image[0]))}


# Files


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def write_tensors(path, **tensors):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, path)


def write_index(folder, source, pose, autoencoder="AutoencoderKL"):
    index = {
        "_class_name": "RPFMPipeline",
        "format_version": 1,
        "vae": ["diffusers", autoencoder],
        "source_encoder": ["transformers", source],
        "pose_encoder": ["transformers", pose],
        "transformer": ["posed", "RPFMTransformer2DModel"],
    }
    if pose is None:
        del index["pose_encoder"]
    write_json(folder / "model_index.json", index)


def write_sampler(folder, **changes):
    sampler = {
        "solver": "heun", "steps": 8, "guidance_scale": 1.1, "time_shift": 1.0, "seed": "random"}
    write_json(folder / "sampler" / "config.json", {**sampler, **changes})


def save_encoder(model, folder, resize=60, crop=56):
    model.save_pretrained(folder)
    write_json(folder / "preprocessor_config.json", preprocessor(resize, crop))


def preprocessor(resize, crop):
    return {
        "crop_size": {"height": crop, "width": crop},
        "do_center_crop": True,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.485, 0.456, 0.406],
        "image_processor_type": "BitImageProcessor",
        "image_std": [0.229, 0.224, 0.225],
        "resample": 3,
        "rescale_factor": 0.00392156862745098,
        "size": {"shortest_edge": resize},
    }
