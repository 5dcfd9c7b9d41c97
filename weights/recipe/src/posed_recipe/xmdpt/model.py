"""X-MDPT's transformer as inference needs it, under the checkpoint's names.

A DiT on latents. Source and pose come in by one vector that is added to the time's embedding. The head answers with
the noise, its features in the order channel, row, column.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from posed_recipe.weights import load_part, save_part

CLASS = "XMDPTTransformer2DModel"


@dataclass(frozen=True)
class XMDPTConfig:
    """`transformer/config.json`."""

    hidden_size: int = 384
    depth: int = 12
    num_heads: int = 6
    sample_size: int = 32
    patch_size: int = 2
    in_channels: int = 4
    mlp_ratio: float = 4.0
    decoder_layers: int = 2
    source_encoder_dim: int = 1536
    source_encoder_tokens: int = 257
    pose_encoder_dim: int = 768
    pose_encoder_tokens: int = 257
    prediction: str = "epsilon"
    beta_start: float = 1e-4
    beta_end: float = 2e-2
    train_timesteps: int = 1000

    @property
    def side(self):
        """Tokens along a side of the latent."""
        return self.sample_size // self.patch_size

    @property
    def tokens(self):
        """Tokens of a latent."""
        return self.side**2

    def to_dict(self):
        """What `config.json` says."""
        return {"_class_name": CLASS, **asdict(self)}


def relative_index(side):
    """[N, N]: which number of a bias table belongs to a query and a key of a side x side grid."""
    rows, columns = (grid.flatten() for grid in torch.meshgrid(
        torch.arange(side), torch.arange(side), indexing="ij"))
    down = rows[:, None] - rows[None, :] + side - 1
    right = columns[:, None] - columns[None, :] + side - 1
    return down * (2 * side - 1) + right


class RelativeBias(nn.Module):
    """A number for each head and relative place; the last three of the table nobody reads."""

    def __init__(self, side, heads):
        super().__init__()
        self.side = side
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * side - 1) ** 2 + 3, heads))

    def forward(self):
        """[heads, N, N]"""
        return self.relative_position_bias_table[relative_index(self.side)].permute(2, 0, 1)


class Attention(nn.Module):
    """Self-attention with a bias by relative place."""

    def __init__(self, width, heads, side):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.rel_pos_bias = RelativeBias(side, heads)

    def forward(self, x):
        rows, tokens, width = x.shape
        q, k, v = self.qkv(x).view(rows, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / math.sqrt(width // self.heads) + self.rel_pos_bias()
        return self.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(rows, tokens, width))


class Block(nn.Module):
    """DiT's block: norms, gates and shifts come from the condition."""

    def __init__(self, config):
        super().__init__()
        width = config.hidden_size
        self.attn = Attention(width, config.num_heads, config.side)
        self.mlp = nn.Module()
        self.mlp.fc1 = nn.Linear(width, int(width * config.mlp_ratio))
        self.mlp.fc2 = nn.Linear(int(width * config.mlp_ratio), width)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def forward(self, x, c):
        shift, scale, gate, shift2, scale2, gate2 = self.adaLN_modulation(c)[:, None].chunk(6, -1)
        x = x + gate * self.attn(norm(x) * (1 + scale) + shift)
        hidden = F.gelu(self.mlp.fc1(norm(x) * (1 + scale2) + shift2), approximate="tanh")
        return x + gate2 * self.mlp.fc2(hidden)


def norm(x):
    """A layer norm without parameters."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6)


def layered(layer, width):
    """A layer, GELU, and a norm with parameters."""
    return nn.Sequential(layer, nn.GELU(), nn.LayerNorm(width, eps=1e-12))


class Final(nn.Module):
    """The head."""

    def __init__(self, width, features):
        super().__init__()
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.linear = nn.Linear(width, features)

    def forward(self, x, c):
        shift, scale = self.adaLN_modulation(c)[:, None].chunk(2, -1)
        return self.linear(norm(x) * (1 + scale) + shift)


class XMDPTTransformer2DModel(nn.Module):
    """`model(x, steps, cond)` -> the noise in x."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        width, features = config.hidden_size, config.in_channels * config.patch_size**2
        self.x_embedder = nn.Module()
        self.x_embedder.proj = nn.Conv2d(config.in_channels, width, config.patch_size, config.patch_size)
        self.t_embedder = nn.Module()
        self.t_embedder.mlp = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, config.tokens, width))
        self.decoder_pos_embed = nn.Parameter(torch.zeros(1, config.tokens, width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.final_layer = Final(width, features)
        self.mlp_dino_pose = layered(nn.Linear(config.pose_encoder_dim, width), width)
        self.mlp_dino_img = layered(nn.Linear(config.source_encoder_dim, width), width)
        self.conv1d_pose = layered(nn.Conv1d(config.pose_encoder_tokens, 1, 1), width)
        self.conv1d_global = layered(nn.Conv1d(config.source_encoder_tokens, 1, 1), width)
        self.conv1d_local = layered(nn.Conv1d(config.tokens, 1, 1), width)
        self.mlp_final = layered(nn.Linear(width, width), width)

    @classmethod
    def from_pretrained(cls, folder):
        """Reads a part's folder."""
        values = json.loads((Path(folder) / "config.json").read_text())
        known = {key: value for key, value in values.items() if key in XMDPTConfig.__dataclass_fields__}
        return load_part(cls(XMDPTConfig(**known)), folder, "diffusion_pytorch_model")

    def save_pretrained(self, folder, dtype=torch.float32):
        """Writes a part's folder."""
        save_part(self, self.config.to_dict(), folder, "diffusion_pytorch_model", dtype)

    def embed(self, z):
        """Latents [B, C, h, w] -> tokens [B, N, D] with their places."""
        return self.x_embedder.proj(z).flatten(2).transpose(1, 2) + self.pos_embed

    def condition(self, z_s, g_s, g_p):
        """The source's latent [B, C, h, w] and tokens [B, T, F_s], the pose's tokens [B, T, F_p] -> [B, D]."""
        pose = self.conv1d_pose(self.mlp_dino_pose(g_p))
        source = self.conv1d_global(self.mlp_dino_img(g_s)) + self.conv1d_local(self.embed(z_s))
        return self.mlp_final(pose + source)[:, 0]

    def time(self, steps):
        """Steps of the diffusion [B], fractions allowed -> [B, D]."""
        frequencies = torch.exp(-math.log(10000) * torch.arange(128, dtype=torch.float64) / 128)
        angles = steps.double().cpu()[:, None] * frequencies
        features = torch.cat([angles.cos(), angles.sin()], -1)
        return self.t_embedder.mlp(features.to(self.pos_embed))

    def forward(self, x, steps, cond):
        """x [B, C, h, w], steps [B], cond [B, D]; zeros are guidance's empty branch."""
        config = self.config
        c, h = self.time(steps) + cond, self.embed(x)
        for index, block in enumerate(self.blocks):
            if index == config.depth - config.decoder_layers:
                h = h + self.decoder_pos_embed
            h = block(h, c)
        patches = self.final_layer(h, c)
        side, patch = config.side, config.patch_size
        grid = patches.view(len(x), side, side, config.in_channels, patch, patch)
        return grid.permute(0, 3, 1, 4, 2, 5).reshape(x.shape)
