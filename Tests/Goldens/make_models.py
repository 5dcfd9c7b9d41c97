"""Makes the small random models and the goldens: `python3 Tests/Goldens/make_models.py`.

Every tensor is drawn from a generator seeded by its own name, so that the files do not depend on
the order of anything. Scales are chosen so that every branch of every model matters in its output:
gates, norms, layer scales, registers, queries and position embeddings are all far from neutral.
README.md beside this file says what each folder is for.
"""

import json
import os
import shutil
import zlib
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import (
    Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel,
)

import reference
import rpfm
from reference import (
    decode, encode, features, save_encoder, write_index, write_json, write_sampler, write_tensors,
)

HERE = Path(__file__).resolve().parent


def normal(name, *shape):
    """Standard normals that depend on nothing but the name and the shape."""
    seed = zlib.crc32(name.encode())
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


# Weights


def spread(name, like):
    """A value for one parameter by what its name says it is."""
    noise = normal(name, *like.shape)
    last = name.rsplit(".", 1)[-1]
    if last == "lambda1":
        return 0.6 + 0.2 * noise
    if last in ("cls_token", "mask_token", "position_embeddings", "register_tokens"):
        return 0.5 * noise
    if last in ("queries", "null_condition"):
        return 0.7 * noise
    if last == "bias":
        return 0.15 * noise
    if like.dim() == 1:  # the scale of a norm
        return 1.0 + 0.25 * noise
    fan_in = like[0].numel()
    gain = 0.6 if "adaLN_modulation" in name else 1.0
    return gain * fan_in**-0.5 * noise


def randomise(module, prefix):
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.copy_(spread(f"{prefix}.{name}", parameter))
    return module.float().eval()


def round_to(module, dtype):
    """Rounds the weights to what a file of that type can hold."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(parameter.to(dtype).float())
    return module


# Parts


def kl(prefix, **changes):
    config = dict(
        block_out_channels=[8, 8, 16, 16],
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        layers_per_block=1, norm_num_groups=4, latent_channels=4, sample_size=64,
        scaling_factor=0.18215)
    vae = randomise(AutoencoderKL(**{**config, **changes}), prefix)
    with torch.no_grad():
        vae.decoder.conv_out.weight *= 0.4
    return vae


def dino(prefix, registers, **changes):
    config = dict(
        hidden_size=64, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=70,
        patch_size=14, qkv_bias=True, layerscale_value=1.0)
    config.update(changes)
    if registers:
        model = Dinov2WithRegistersModel(Dinov2WithRegistersConfig(num_register_tokens=3, **config))
    else:
        model = Dinov2Model(Dinov2Config(**config))
    return randomise(model, prefix)


def transformer(prefix, dtype=torch.float32, **config):
    base = dict(
        sample_size=8, patch_size=2, in_channels=4, hidden_size=64, depth=2, num_heads=1,
        mlp_ratio=2.0, source_encoder_dim=64, pose_encoder_dim=64)
    return round_to(randomise(rpfm.RPFMTransformer2DModel(**{**base, **config}), prefix), dtype)


# Files


def share(folder, part, origin):
    """A part that is another model's: a relative link."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / part).symlink_to(os.path.relpath(origin, folder))


def shard(folder, stem):
    """Splits a part's single file in two with an index, as diffusers does."""
    tensors = load_file(folder / f"{stem}.safetensors")
    names = sorted(tensors)
    halves = [names[: len(names) // 2], names[len(names) // 2 :]]
    where = {}
    for i, half in enumerate(halves):
        file = f"{stem}-{i + 1:05}-of-00002.safetensors"
        save_file({n: tensors[n] for n in half}, folder / file, {"format": "pt"})
        where.update({n: file for n in half})
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    write_json(folder / f"{stem}.safetensors.index.json",
               {"metadata": {"total_size": size}, "weight_map": where})
    (folder / f"{stem}.safetensors").unlink()


# Goldens


class Goldens:
    """Writes the expected outputs of one model into its folder `expected`."""

    def __init__(self, name, vae, source, pose, model, size):
        self.name, self.vae, self.source, self.pose, self.model = name, vae, source, pose, model
        self.height, self.width = size
        self.folder = HERE / name / "expected"

    def write(self, case, **tensors):
        write_tensors(self.folder / f"{case}.safetensors", **tensors)

    def random(self, what, *shape):
        return normal(f"{self.name}.{what}", *shape)

    def latents(self, what, *batch):
        h, w = self.height // 8, self.width // 8
        return self.random(what, *batch, self.model.config["in_channels"], h, w)

    def autoencoder(self, batch=2):
        image = torch.tanh(self.random("image", batch, 3, self.height, self.width))
        self.write("vae.encode", image=image, latent=encode(self.vae, image))
        latent = 0.8 * self.latents("latent", batch)
        self.write("vae.decode", latent=latent, image=decode(self.vae, latent))

    def encoders(self, cases):
        """cases: name of the case -> (batch, height, width)"""
        for part, encoder in (("source_encoder", self.source), ("pose_encoder", self.pose)):
            if encoder is None:
                continue
            for case, shape in cases.items():
                pixels = self.random(part + case, shape[0], 3, *shape[1:])
                hidden = features(encoder, pixels)
                self.write(part + case, pixel_values=pixels, last_hidden_state=hidden)

    def inputs(self, what, batch, sources=None):
        """z_s, z_p, g_s, g_p as the encoders would give them for 56x56 pixels."""
        many = (batch,) if sources is None else (batch, sources)
        dims = self.model.config["source_encoder_dim"], self.model.config["pose_encoder_dim"]
        return dict(
            z_s=self.latents(what + "z_s", *many), z_p=self.latents(what + "z_p", batch),
            g_s=self.random(what + "g_s", *many, 17, dims[0]),
            g_p=self.random(what + "g_p", batch, 17, dims[1]))

    def network(self, case="", sources=None):
        """`condition`, `velocity`, the cache of the reference stream, and the unguided velocity."""
        given = self.inputs(case, 2, sources)
        cond = self.model.aggregate(**given)
        self.write("condition" + case, **given, cond=cond)
        z, t = self.latents(case + "z", 2), torch.tensor([0.25, 0.8])
        z_s, z_p = given["z_s"], given["z_p"]
        velocity = self.model.velocity(z, t, z_s, z_p, cond)
        self.write("velocity" + case, z=z, t=t, z_s=z_s, z_p=z_p, cond=cond, velocity=velocity)
        cached = self.model.reference(z_s)
        if cached is not None:
            parts = {f"{n}.{i}": kv[j] for i, kv in enumerate(cached) for j, n in enumerate("kv")}
            self.write("reference" + case, z_s=z_s, **parts)
        if not case:
            self.write("velocity.empty", z=z, t=t, velocity=self.model.velocity_empty(z, t))

    def solve(self, case, batch=1, sources=None, **settings):
        given = self.inputs("solve" + case, batch, sources)
        cond = self.model.aggregate(**given)
        z0 = self.latents("solve" + case + "z0", batch)
        latent = rpfm.solve(self.model, z0, given["z_s"], given["z_p"], cond, **settings)
        image = dict(image=decode(self.vae, latent)) if case == ".heun" else {}
        self.write("solve" + case, z0=z0, **given, cond=cond, latent=latent, **image)
        write_json(self.folder / f"solve{case}.json", settings)

    def synthesize(self, case, source, keypoints, seed, settings):
        """The whole way from a PNG and keypoints to a PNG; writes every stage."""
        stages = reference.synthesize(
            HERE / self.name, self.vae, self.source, self.pose, self.model, source, keypoints, seed,
            settings)
        folder = self.folder / case
        write_tensors(folder / "stages.safetensors", **stages)
        source.save(folder / "source.png")
        Image.fromarray(stages["picture"].numpy()).save(folder / "output.png")
        write_json(folder / "pose.json", keypoints)
        write_json(folder / "settings.json", {"seed": seed, **settings})


# The models


def source_picture(name, width, height):
    """A smooth random picture."""
    grid = torch.sigmoid(1.5 * normal(name, 1, 3, 5, 4))
    picture = torch.nn.functional.interpolate(
        grid, size=(height, width), mode="bicubic", align_corners=True)[0]
    return Image.fromarray((picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy())


def keypoints(height, width):
    """A standing person; the left ear is not seen, nor the right wrist, which is outside."""
    figure = [
        (.50, .16), (.50, .28), (.40, .29), (.33, .42), (-.1, .5), (.60, .29), (.68, .41),
        (.66, .55), (.44, .56), (.42, .74), (.43, .92), (.56, .56), (.60, .75), (.58, .93),
        (.47, .13), (.53, .13), (.44, .15), (.57, .15),
    ]
    points = [[round(x * width, 2), round(y * height, 2), 0.9] for x, y in figure]
    points[4][2], points[17][2] = 0.04, 0.01
    return points


def make_tiny():
    """The full model: everything switched on."""
    folder = HERE / "tiny"
    vae = kl("tiny.vae")
    source = dino("tiny.source", registers=False)
    pose = round_to(dino("tiny.pose", registers=True, num_hidden_layers=1), torch.float16)
    model = transformer(
        "tiny.transformer", torch.bfloat16, hidden_size=128, num_heads=2, mlp_ratio=1.0,
        reference_attention=True)
    vae.save_pretrained(folder / "vae")
    save_encoder(source, folder / "source_encoder")
    save_encoder(pose.half(), folder / "pose_encoder")
    pose = pose.float()
    model.save_pretrained(folder / "transformer", torch.bfloat16)
    write_index(folder, "Dinov2Model", "Dinov2WithRegistersModel")
    write_sampler(folder)
    goldens = Goldens("tiny", vae, source, pose, model, (64, 64))
    goldens.autoencoder()
    goldens.encoders({"": (2, 56, 56), ".native": (1, 70, 70), ".oblong": (1, 98, 42),
                      ".large": (1, 84, 84)})
    goldens.network()
    goldens.network(".two-sources", sources=2)
    Goldens("tiny", vae, source, pose, model, (80, 48)).network(".other-size")
    goldens.solve(".heun", solver="heun", steps=8, guidance=1.1, time_shift=1.0)
    goldens.solve(".whole-steps", solver="heun", steps=4, guidance=1.1, time_shift=1.0,
                  last_step_first_order=False)
    goldens.solve(".rk4", solver="rk4", steps=3, guidance=1.4, time_shift=2.0)
    goldens.solve(".euler", solver="euler", steps=5, guidance=1.0, time_shift=1.0)
    goldens.solve(".two-sources", sources=2, solver="midpoint", steps=4, guidance=1.1,
                  time_shift=1.0)
    settings = dict(solver="heun", steps=8, guidance=1.1, time_shift=1.0)
    picture = source_picture("tiny.png", 75, 90)
    goldens.synthesize("synthesize", picture, keypoints(64, 64), 7, settings)
    return vae, source, pose, model


def make_wide(vae, source, pose, tiny):
    """tiny's weights on latents that are not square, and an autoencoder with old names."""
    folder = HERE / "tiny-wide"
    for part in ("source_encoder", "pose_encoder"):
        share(folder, part, HERE / "tiny" / part)
    weights = "diffusion_pytorch_model.safetensors"
    share(folder / "transformer", weights, HERE / "tiny" / "transformer" / weights)
    model = rpfm.RPFMTransformer2DModel(**{**tiny.config, "sample_size": [8, 6]}).eval()
    model.load_state_dict(tiny.state_dict())
    write_json(folder / "transformer" / "config.json", model.config)
    save_old_names(vae, folder / "vae")
    write_index(folder, "Dinov2Model", "Dinov2WithRegistersModel")
    write_sampler(folder, solver="euler", steps=6, guidance_scale=1.3, time_shift=1.5, seed=11)
    goldens = Goldens("tiny-wide", vae, source, pose, model, (64, 48))
    goldens.autoencoder(batch=1)
    goldens.network()
    settings = dict(solver="euler", steps=6, guidance=1.3, time_shift=1.5)
    goldens.synthesize(
        "synthesize", source_picture("wide.png", 48, 64), keypoints(64, 48), 11, settings)


def save_old_names(vae, folder):
    """The configuration and the attention names that the published SD autoencoders still have."""
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    tensors = {}
    for name, tensor in vae.state_dict().items():
        if "mid_block.attentions" in name:
            for new, former in old.items():
                name = name.replace(f".{new}.", f".{former}.")
        tensors[name] = tensor
    folder.mkdir(parents=True)
    save_file(tensors, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    kept = ["act_fn", "block_out_channels", "down_block_types", "in_channels", "latent_channels",
            "layers_per_block", "norm_num_groups", "out_channels", "sample_size", "up_block_types"]
    config = {"_class_name": "AutoencoderKL", "_diffusers_version": "0.4.2"}
    write_json(folder / "config.json", {**config, **{k: vae.config[k] for k in kept}})
    again = AutoencoderKL.from_pretrained(folder)
    assert all(torch.equal(a, b) for a, b in zip(vae.parameters(), again.parameters()))


def make_no_concatenation(source, pose):
    """Ablation: z_t alone goes in; no reference attention. F16 files; AutoencoderTiny."""
    folder = HERE / "tiny-no-concatenation"
    for part in ("source_encoder", "pose_encoder"):
        share(folder, part, HERE / "tiny" / part)
    vae = randomise(AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8, 8), decoder_block_out_channels=(8, 8, 8, 8),
        num_encoder_blocks=(1, 2, 1, 1), num_decoder_blocks=(1, 1, 2, 1)), "no-concatenation.vae")
    vae = round_to(vae, torch.float16)
    model = transformer("no-concatenation", torch.float16, depth=1, input_concatenation=False)
    vae.half().save_pretrained(folder / "vae")
    vae = vae.float()
    model.save_pretrained(folder / "transformer", torch.float16)
    write_index(folder, "Dinov2Model", "Dinov2WithRegistersModel", "AutoencoderTiny")
    write_sampler(folder)
    goldens = Goldens("tiny-no-concatenation", vae, source, pose, model, (64, 64))
    goldens.autoencoder(batch=1)
    goldens.network()
    goldens.solve(".heun", solver="heun", steps=8, guidance=1.1, time_shift=1.0)


def make_no_aggregation():
    """Ablation: null_condition alone. One SwiGLU encoder for both, and an autoencoder without
    quantization convolutions or attention, with a shift. The transformer is in two shards."""
    folder = HERE / "tiny-no-aggregation"
    vae = kl("no-aggregation.vae", block_out_channels=[8, 8, 8, 16], norm_num_groups=8,
             layers_per_block=2, use_quant_conv=False, use_post_quant_conv=False,
             mid_block_add_attention=False, scaling_factor=0.3611, shift_factor=0.1159)
    source = dino("no-aggregation.source", registers=True, use_swiglu_ffn=True, hidden_size=32,
                  num_attention_heads=1, num_hidden_layers=1, mlp_ratio=4, image_size=42)
    model = transformer("no-aggregation", depth=1, conditional_aggregation=False,
                        reference_attention=True, source_encoder_dim=32, pose_encoder_dim=32)
    vae.save_pretrained(folder / "vae")
    save_encoder(source, folder / "source_encoder")
    model.save_pretrained(folder / "transformer")
    shard(folder / "transformer", "diffusion_pytorch_model")
    write_index(folder, "Dinov2WithRegistersModel", None)
    write_sampler(folder)
    goldens = Goldens("tiny-no-aggregation", vae, source, None, model, (64, 64))
    goldens.autoencoder(batch=1)
    goldens.encoders({"": (1, 56, 56), ".native": (1, 42, 42)})
    goldens.network()
    settings = dict(solver="heun", steps=8, guidance=1.1, time_shift=1.0)
    picture = source_picture("none.png", 64, 64)
    goldens.synthesize("synthesize", picture, keypoints(64, 64), 3, settings)


def make_weights():
    """The same tensors in every type and layout, to test reading alone."""
    folder = HERE / "weights"
    folder.mkdir(parents=True)
    tensors = {
        "scalar": normal("w.scalar"), "vector": normal("w.vector", 5),
        "matrix": normal("w.matrix", 3, 4), "filter": normal("w.filter", 2, 3, 2, 2),
        "wide": 1e4 * normal("w.wide", 7), "small": 1e-6 * normal("w.small", 6),
        "empty": torch.zeros(0, 3),
    }
    for name, dtype in (("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)):
        rounded = {k: v.to(dtype) for k, v in tensors.items()}
        save_file(rounded, folder / f"{name}.safetensors", {"format": "pt"})
        expected = {k: v.float() for k, v in rounded.items()}
        save_file(expected, folder / f"{name}.expected.safetensors")
    sharded = folder / "sharded"
    sharded.mkdir()
    save_file(tensors, sharded / "model.safetensors", {"format": "pt"})
    shard(sharded, "model")


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name in ("tiny", "tiny-wide", "tiny-no-concatenation", "tiny-no-aggregation", "weights"):
        shutil.rmtree(HERE / name, ignore_errors=True)
    with torch.no_grad():
        vae, source, pose, model = make_tiny()
        make_wide(vae, source, pose, model)
        make_no_concatenation(source, pose)
        make_no_aggregation()
        make_weights()


if __name__ == "__main__":
    main()
