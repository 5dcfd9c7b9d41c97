"""The layers of the transformer. Names are those of the weight file; every Linear has a bias."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def patches(z, p):
    """[B, C, h, w] -> [B, N, C*p*p]: features are channel, row, column; tokens row by row."""
    b, c, h, w = z.shape
    z = z.reshape(b, c, h // p, p, w // p, p)
    return z.permute(0, 2, 4, 1, 3, 5).reshape(b, (h // p) * (w // p), c * p * p)


def unpatches(x, p, h, w):
    """[B, N, C*p*p] -> [B, C, h, w], the inverse of `patches`."""
    b, _, f = x.shape
    c = f // (p * p)
    x = x.reshape(b, h // p, w // p, c, p, p)
    return x.permute(0, 3, 1, 4, 2, 5).reshape(b, c, h, w)


def position_embedding(d, rows, columns, trained=None):
    """The fixed sine-cosine embedding [rows*columns, D], computed in double precision. The indices of another grid
    than the `trained` (rows, columns) are scaled to its range.

    The first half of the features comes from the column, the second from the row; each half is
    sines, then cosines.
    """
    frequency = 10000.0 ** (-np.arange(d // 4, dtype=np.float64) / (d // 4))
    trained = trained or (rows, columns)
    row, column = np.meshgrid(
        np.arange(rows, dtype=np.float64) * trained[0] / rows,
        np.arange(columns, dtype=np.float64) * trained[1] / columns, indexing="ij")

    def half(index):
        angle = np.outer(index.reshape(-1), frequency)
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)

    return torch.from_numpy(np.concatenate([half(column), half(row)], axis=1)).float()


def time_features(t):
    """[B] -> [B, 256]: 128 cosines of 1000*t, then 128 sines."""
    frequency = torch.exp(-math.log(10000.0) * torch.arange(128, device=t.device) / 128)
    angle = 1000.0 * t[:, None].float() * frequency[None]
    return torch.cat([torch.cos(angle), torch.sin(angle)], dim=1)


def split_heads(x, heads):
    """[B, T, D] -> [B, heads, T, D/heads]"""
    b, t, d = x.shape
    return x.reshape(b, t, heads, d // heads).transpose(1, 2)


def served(x, rows):
    """[G, ...] -> [rows, ...]: each entry for rows / G rows that follow one another."""
    return x if len(x) == rows else x[:, None].expand(-1, rows // len(x), *x.shape[1:]).flatten(0, 1)


def attend(q, k, v):
    """Attention over [B, heads, T, D/heads], scaled by 1/sqrt(D/heads); gives [B, T, D].

    Spelt out where a CPU trains: there the fused form takes three times as long, in bfloat16 and to differentiate.
    """
    if q.device.type == "cpu" and (q.requires_grad or q.dtype == torch.bfloat16):
        out = torch.softmax((q * q.shape[-1] ** -0.5) @ k.mT, dim=-1) @ v
    else:
        out = F.scaled_dot_product_attention(q, k, v)
    b, heads, t, width = out.shape
    return out.transpose(1, 2).reshape(b, t, heads * width)


def modulate(x, shift, scale):
    """adaLN: one shift and one scale [B, D] for all tokens of x [B, T, D]."""
    return x * (1 + scale[:, None]) + shift[:, None]


class TimeEmbedder(nn.Module):
    """[B] -> [B, D]"""

    def __init__(self, d):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(256, d), nn.SiLU(), nn.Linear(d, d))

    def forward(self, t):
        return self.mlp(time_features(t).to(self.mlp[0].weight.dtype))


class MLP(nn.Module):
    """Linear, GELU (tanh), Linear."""

    def __init__(self, d, hidden):
        super().__init__()
        self.fc1 = nn.Linear(d, hidden)
        self.fc2 = nn.Linear(hidden, d)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class SelfAttention(nn.Module):
    """Self-attention whose queries may also see cached keys and values."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(d, 3 * d)
        self.proj = nn.Linear(d, d)

    def forward(self, x, cached=None):
        """x [B, T, D]; `cached` is (k, v), each [G, heads, R, D/heads], of which each serves B / G rows that follow one
        another. Gives [B, T, D] and the own (q, k, v)."""
        q, k, v = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        own = (q, k, v)
        if cached is not None:
            k = torch.cat([k, served(cached[0], len(k))], dim=2)  # [B, heads, T + R, D/heads]
            v = torch.cat([v, served(cached[1], len(v))], dim=2)
        return self.proj(attend(q, k, v)), own


class CrossAttention(nn.Module):
    """Queries that look at a stream."""

    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(d, d)
        self.kv = nn.Linear(d, 2 * d)
        self.proj = nn.Linear(d, d)

    def forward(self, query, stream):
        """query [B, 1, D], stream [B, T, D] -> [B, 1, D]"""
        q = split_heads(self.q(query), self.heads)
        k, v = (split_heads(part, self.heads) for part in self.kv(stream).chunk(2, dim=-1))
        return self.proj(attend(q, k, v))


class Block(nn.Module):
    """DiT's block with adaLN-Zero."""

    def __init__(self, d, heads, mlp_ratio):
        super().__init__()
        self.norm1 = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.attn = SelfAttention(d, heads)
        self.norm2 = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.mlp = MLP(d, int(d * mlp_ratio))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(d, 6 * d))

    def forward(self, x, c, cached=None):
        """x [B, N, D], c [B, D]; gives x and the block's own queries, keys and values."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.adaLN_modulation(c).chunk(6, dim=1)
        attended, own = self.attn(modulate(self.norm1(x), shift1, scale1), cached)
        x = x + gate1[:, None] * attended
        x = x + gate2[:, None] * self.mlp(modulate(self.norm2(x), shift2, scale2))
        return x, own


class FinalLayer(nn.Module):
    """[B, N, D] -> [B, N, C*p*p]"""

    def __init__(self, d, out):
        super().__init__()
        self.norm = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.linear = nn.Linear(d, out)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(d, 2 * d))

    def forward(self, x, c):
        shift, scale = self.adaLN_modulation(c).chunk(2, dim=1)
        return self.linear(modulate(self.norm(x), shift, scale))
