"""AutoencoderKL: the network of diffusers, and what training and the flow ask of it."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import diffusers
import torch
from torch import nn

from posed_recipe.errors import RecipeError
from posed_recipe.weights import load_part, save_part

WEIGHTS = "diffusion_pytorch_model"

# The attention's names in older checkpoints.
OLDER_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


@dataclass
class AutoencoderConfig:
    """Keys of `vae/config.json`; other keys of diffusers are kept as they came."""

    in_channels: int = 3
    out_channels: int = 3
    block_out_channels: tuple = (64,)
    layers_per_block: int = 1
    latent_channels: int = 4
    norm_num_groups: int = 32
    act_fn: str = "silu"
    mid_block_add_attention: bool = True
    use_quant_conv: bool = True
    use_post_quant_conv: bool = True
    sample_size: int = 32
    scaling_factor: float = 0.18215
    shift_factor: float | None = None

    @classmethod
    def from_dict(cls, values):
        """Reads a `config.json` of diffusers."""
        name = values.get("_class_name", "AutoencoderKL")
        if name != "AutoencoderKL":
            raise RecipeError(f'the autoencoder\'s "_class_name" must be AutoencoderKL, but it is "{name}"')
        if values.get("act_fn", "silu") != "silu":
            raise RecipeError(f'"act_fn" of the autoencoder must be "silu", but it is "{values["act_fn"]}"')
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})

    def to_dict(self):
        """What diffusers expects in `config.json`."""
        stages = len(self.block_out_channels)
        return {
            "_class_name": "AutoencoderKL",
            **asdict(self),
            "block_out_channels": list(self.block_out_channels),
            "down_block_types": ["DownEncoderBlock2D"] * stages,
            "up_block_types": ["UpDecoderBlock2D"] * stages,
        }

    @property
    def downsampling(self):
        """Picture sides over latent sides."""
        return 2 ** (len(self.block_out_channels) - 1)


class AutoencoderKL(nn.Module):
    """Pictures [B, 3, H, W] in [-1, 1] to latents [B, C, h, w] and back."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        values = {key: value for key, value in config.to_dict().items() if not key.startswith("_")}
        network = diffusers.AutoencoderKL(**values)
        self.encoder, self.decoder = network.encoder, network.decoder
        if config.use_quant_conv:
            self.quant_conv = network.quant_conv
        if config.use_post_quant_conv:
            self.post_quant_conv = network.post_quant_conv

    # Files

    @classmethod
    def from_pretrained(cls, folder):
        """The autoencoder of a folder, in float32; published ones load as they are."""
        folder = Path(folder)
        config = AutoencoderConfig.from_dict(json.loads((folder / "config.json").read_text()))
        return load_part(cls(config), folder, WEIGHTS, newer_names)

    def save_pretrained(self, folder, dtype=torch.float32, shard_bytes=None):
        """Writes `config.json` and the weights."""
        save_part(self, self.config.to_dict(), folder, WEIGHTS, dtype, shard_bytes)

    # What training needs

    def posterior(self, image):
        """Mean and log variance of the unscaled latent."""
        moments = self.encoder(image)
        if self.config.use_quant_conv:
            moments = self.quant_conv(moments)
        mean, logvar = moments.chunk(2, dim=1)
        return mean, logvar.clamp(-30.0, 20.0)

    def reconstruct(self, z):
        """An unscaled latent to a picture, not clamped."""
        return self.decoder(self.post_quant_conv(z) if self.config.use_post_quant_conv else z)

    # What the model uses

    def encode(self, image):
        """The posterior's mean, shifted and scaled."""
        return (self.posterior(image)[0] - (self.config.shift_factor or 0.0)) * self.config.scaling_factor

    def decode(self, latent):
        """The picture of a latent as `encode` gives it, not clamped."""
        return self.reconstruct(latent / self.config.scaling_factor + (self.config.shift_factor or 0.0))


def newer_names(tensors):
    """Renames the tensors of checkpoints from before diffusers named attention anew."""
    renamed = {}
    for name, tensor in tensors.items():
        part, _, layer = name.rpartition(".attentions.0.")
        old = layer.split(".")[0]
        if part and old in OLDER_NAMES:
            name = f"{part}.attentions.0.{OLDER_NAMES[old]}.{layer.rsplit('.', 1)[1]}"
            tensor = tensor.flatten(1) if tensor.dim() == 4 else tensor
        renamed[name] = tensor
    return renamed
