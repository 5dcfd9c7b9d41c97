"""DINOv2's vision transformer, in the layout and with the tensor names of transformers.

With and without register tokens, with an MLP or SwiGLU. The default model trains a small one of these
jointly with the flow; published ones load as they are.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from posed_recipe.errors import RecipeError
from posed_recipe.rpfm.layers import attend, split_heads
from posed_recipe.weights import load_part, save_part

WEIGHTS = "model"


@dataclass
class Dinov2Config:
    """Keys of the encoder's `config.json`."""

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    mlp_ratio: int = 4
    layer_norm_eps: float = 1e-6
    image_size: int = 224
    patch_size: int = 14
    num_channels: int = 3
    qkv_bias: bool = True
    layerscale_value: float = 1.0
    use_swiglu_ffn: bool = False
    num_register_tokens: int = 0

    @classmethod
    def from_dict(cls, values):
        """Reads a `config.json` of transformers."""
        kind = values.get("model_type", "dinov2")
        if kind not in ("dinov2", "dinov2_with_registers"):
            raise RecipeError(f'the encoder\'s "model_type" must be dinov2 or dinov2_with_registers, not "{kind}"')
        if values.get("hidden_act", "gelu") != "gelu":
            raise RecipeError(f'"hidden_act" of the encoder must be "gelu", not "{values["hidden_act"]}"')
        known = {field.name for field in fields(cls)}
        config = cls(**{key: value for key, value in values.items() if key in known})
        if kind == "dinov2":
            config.num_register_tokens = 0
        elif "num_register_tokens" not in values:
            config.num_register_tokens = 4
        return config

    def to_dict(self):
        """What transformers expects in `config.json`."""
        registers = self.num_register_tokens > 0
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if not registers:
            del values["num_register_tokens"]
        return {
            "architectures": ["Dinov2WithRegistersModel" if registers else "Dinov2Model"],
            "model_type": "dinov2_with_registers" if registers else "dinov2",
            "hidden_act": "gelu",
            "use_mask_token": False,
            **values,
        }

    @property
    def class_name(self):
        """The class in transformers."""
        return self.to_dict()["architectures"][0]


class PatchEmbeddings(nn.Module):
    """[B, 3, H, W] -> [B, patches, F]"""

    def __init__(self, config):
        super().__init__()
        side = config.patch_size
        self.projection = nn.Conv2d(config.num_channels, config.hidden_size, side, stride=side)

    def forward(self, pixels):
        return self.projection(pixels).flatten(2).transpose(1, 2)


class Embeddings(nn.Module):
    """Class token, registers and patches, with their positions."""

    def __init__(self, config):
        super().__init__()
        f, count = config.hidden_size, (config.image_size // config.patch_size) ** 2
        self.patch_size = config.patch_size
        self.registers = config.num_register_tokens
        self.cls_token = nn.Parameter(torch.randn(1, 1, f) * 0.02)
        if self.registers:
            self.register_tokens = nn.Parameter(torch.randn(1, self.registers, f) * 0.02)
        self.position_embeddings = nn.Parameter(torch.randn(1, 1 + count, f) * 0.02)
        self.patch_embeddings = PatchEmbeddings(config)

    def positions(self, rows, columns):
        """Position embeddings for that many patches, interpolated where training had another number."""
        grid = self.position_embeddings[:, 1:]
        side = round(grid.shape[1] ** 0.5)
        if (rows, columns) == (side, side):
            return self.position_embeddings
        grid = grid.reshape(1, side, side, -1).permute(0, 3, 1, 2).float()
        grid = F.interpolate(
            grid, size=(rows, columns), mode="bicubic", align_corners=False, antialias=self.registers > 0)
        grid = grid.permute(0, 2, 3, 1).reshape(1, rows * columns, -1).to(self.position_embeddings.dtype)
        return torch.cat([self.position_embeddings[:, :1], grid], dim=1)

    def forward(self, pixels):
        b, _, h, w = pixels.shape
        x = torch.cat([self.cls_token.expand(b, -1, -1), self.patch_embeddings(pixels)], dim=1)
        x = x + self.positions(h // self.patch_size, w // self.patch_size)
        if self.registers:
            x = torch.cat([x[:, :1], self.register_tokens.expand(b, -1, -1), x[:, 1:]], dim=1)
        return x


class Projections(nn.Module):
    """Queries, keys and values, each a layer of its own."""

    def __init__(self, config):
        super().__init__()
        f = config.hidden_size
        self.query = nn.Linear(f, f, bias=config.qkv_bias)
        self.key = nn.Linear(f, f, bias=config.qkv_bias)
        self.value = nn.Linear(f, f, bias=config.qkv_bias)


class Attention(nn.Module):
    """Multi-head self-attention, [B, T, F]."""

    def __init__(self, config):
        super().__init__()
        self.heads = config.num_attention_heads
        self.attention = Projections(config)
        self.output = nn.ModuleDict({"dense": nn.Linear(config.hidden_size, config.hidden_size)})

    def forward(self, x):
        project = self.attention
        q, k, v = (
            split_heads(layer(x), self.heads) for layer in (project.query, project.key, project.value))
        return self.output["dense"](attend(q, k, v))


class MLP(nn.Module):
    """Linear, GELU, Linear."""

    def __init__(self, config):
        super().__init__()
        hidden = int(config.hidden_size * config.mlp_ratio)
        self.fc1 = nn.Linear(config.hidden_size, hidden)
        self.fc2 = nn.Linear(hidden, config.hidden_size)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class SwiGLU(nn.Module):
    """The gated MLP of the giant encoder."""

    def __init__(self, config):
        super().__init__()
        hidden = int(config.hidden_size * config.mlp_ratio)
        hidden = (int(hidden * 2 / 3) + 7) // 8 * 8
        self.weights_in = nn.Linear(config.hidden_size, 2 * hidden)
        self.weights_out = nn.Linear(hidden, config.hidden_size)

    def forward(self, x):
        gate, value = self.weights_in(x).chunk(2, dim=-1)
        return self.weights_out(F.silu(gate) * value)


class LayerScale(nn.Module):
    """One factor for each feature."""

    def __init__(self, config):
        super().__init__()
        self.lambda1 = nn.Parameter(config.layerscale_value * torch.ones(config.hidden_size))

    def forward(self, x):
        return x * self.lambda1


class Layer(nn.Module):
    """One layer of the vision transformer."""

    def __init__(self, config):
        super().__init__()
        self.norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.attention = Attention(config)
        self.layer_scale1 = LayerScale(config)
        self.norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = SwiGLU(config) if config.use_swiglu_ffn else MLP(config)
        self.layer_scale2 = LayerScale(config)

    def forward(self, x):
        x = x + self.layer_scale1(self.attention(self.norm1(x)))
        return x + self.layer_scale2(self.mlp(self.norm2(x)))


class Dinov2Model(nn.Module):
    """Preprocessed pictures [B, 3, H, W] -> class token and patch tokens, [B, 1 + patches, F]."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.encoder = nn.ModuleDict(
            {"layer": nn.ModuleList([Layer(config) for _ in range(config.num_hidden_layers)])})
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    @classmethod
    def from_pretrained(cls, folder):
        """The encoder of a folder, in float32. The mask token of its training is not used."""
        folder = Path(folder)
        config = Dinov2Config.from_dict(json.loads((folder / "config.json").read_text()))

        def without_mask_token(tensors):
            return {name: tensor for name, tensor in tensors.items() if name != "embeddings.mask_token"}

        return load_part(cls(config), folder, WEIGHTS, without_mask_token)

    def save_pretrained(self, folder, dtype=torch.float32, shard_bytes=None):
        """Writes `config.json` and the weights."""
        save_part(self, self.config.to_dict(), folder, WEIGHTS, dtype, shard_bytes)

    def forward(self, pixels):
        x = self.embeddings(pixels)
        for layer in self.encoder["layer"]:
            x = layer(x)
        x = self.layernorm(x)
        return torch.cat([x[:, :1], x[:, 1 + self.config.num_register_tokens:]], dim=1)


def initialise(model):
    """Weights to begin training with: small normals, as vision transformers are begun."""
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model
