"""RPFM in PyTorch: the reference the engine is measured against.

A plain, complete reading of the model's specification: the transformer with exactly the tensor
names of its weight file, conditional aggregation, reference attention, guidance, explicit
Runge-Kutta sampling, the specified noise, and the pose picture.

Shapes: B batch, C latent channels, h x w latent size, p patch size, N tokens, D hidden size,
S sources, F features of an encoder.

Where the specification leaves a choice open, this file reads it so:

- The width of an attention head is `hidden_size / num_heads`; conditional aggregation uses the same
  `num_heads` as the blocks. Scores are scaled by 1/sqrt(head width). Every Linear has a bias.
- `condition.norm_self` and `condition.norm_mlp` are affine with eps 1e-6, like `condition.norms`.
- `sample_size` is one number for square latents, or `[height, width]`.
- The query of a cross-attention is used as it is: only the stream it looks at is normalized.
- Several sources are one more axis after the batch: `z_s` [B, S, C, h, w], `g_s` [B, S, tokens, F].
  Each source's reference stream attends to itself alone; their keys and values are then
  concatenated along the tokens. The main stream's own keys come first.
- The MLP ratio of conditional aggregation is always 4; `mlp_ratio` is that of the blocks.
- A coordinate x of a keypoint lies on the continuous picture [0, W]: pixel i has its centre at
  i + 0.5.
- Values become bytes by rounding to the nearest, halves to even.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

PRESETS = {
    "T": dict(hidden_size=256, depth=12, num_heads=4),
    "S": dict(hidden_size=384, depth=12, num_heads=6),
    "B": dict(hidden_size=768, depth=12, num_heads=12),
    "L": dict(hidden_size=1024, depth=24, num_heads=16),
}

DEFAULTS = {
    "_class_name": "RPFMTransformer2DModel",
    "sample_size": 32,
    "patch_size": 2,
    "in_channels": 4,
    "hidden_size": 384,
    "depth": 12,
    "num_heads": 6,
    "mlp_ratio": 4.0,
    "source_encoder_dim": 768,
    "pose_encoder_dim": 768,
    "reference_attention": False,
    "input_concatenation": True,
    "conditional_aggregation": True,
}


def patches(z, p):
    """[B, C, h, w] -> [B, N, C*p*p]: features are channel, row, column; tokens row-major."""
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
    """The fixed sine-cosine embedding [rows*columns, D], computed in double precision. The indices
    of another grid than the `trained` (rows, columns) are scaled to its range."""
    frequency = 10000.0 ** (-np.arange(d // 4, dtype=np.float64) / (d // 4))
    trained = trained or (rows, columns)
    r, c = np.meshgrid(
        np.arange(rows, dtype=np.float64) * trained[0] / rows,
        np.arange(columns, dtype=np.float64) * trained[1] / columns, indexing="ij")

    def half(index):
        angle = np.outer(index.reshape(-1), frequency)
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)

    return torch.from_numpy(np.concatenate([half(c), half(r)], axis=1)).float()


def time_features(t):
    """[B] -> [B, 256]: cosines, then sines."""
    frequency = torch.exp(-math.log(10000.0) * torch.arange(128, device=t.device) / 128)
    angle = 1000.0 * t[:, None].float() * frequency[None]
    return torch.cat([torch.cos(angle), torch.sin(angle)], dim=1)


def heads_of(x, heads):
    """[B, T, D] -> [B, heads, T, D/heads]"""
    b, t, d = x.shape
    return x.reshape(b, t, heads, d // heads).transpose(1, 2)


def attend(q, k, v):
    """Attention over [B, heads, T, width]; gives [B, T, D]."""
    out = F.scaled_dot_product_attention(q, k, v)  # scale 1/sqrt(width)
    b, h, t, w = out.shape
    return out.transpose(1, 2).reshape(b, t, h * w)


def modulate(x, shift, scale):
    return x * (1 + scale[:, None]) + shift[:, None]


class TimeEmbedder(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(256, d), nn.SiLU(), nn.Linear(d, d))

    def forward(self, t):
        return self.mlp(time_features(t).to(self.mlp[0].weight.dtype))  # [B, D]


class MLP(nn.Module):
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
        """x [B, T, D], cached (k, v) of [B, heads, R, width]; gives the output and own (k, v)."""
        q, k, v = (heads_of(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        own = (k, v)
        if cached is not None:
            k = torch.cat([k, cached[0]], dim=2)
            v = torch.cat([v, cached[1]], dim=2)
        return self.proj(attend(q, k, v)), own


class CrossAttention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(d, d)
        self.kv = nn.Linear(d, 2 * d)
        self.proj = nn.Linear(d, d)

    def forward(self, query, stream):
        """query [B, 1, D], stream [B, T, D] -> [B, 1, D]"""
        q = heads_of(self.q(query), self.heads)
        k, v = (heads_of(part, self.heads) for part in self.kv(stream).chunk(2, dim=-1))
        return self.proj(attend(q, k, v))


class Block(nn.Module):
    def __init__(self, d, heads, mlp_ratio):
        super().__init__()
        self.norm1 = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.attn = SelfAttention(d, heads)
        self.norm2 = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.mlp = MLP(d, int(d * mlp_ratio))
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(d, 6 * d))

    def forward(self, x, c, cached=None):
        """x [B, N, D], c [B, D]; gives x and the block's own keys and values."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.adaLN_modulation(c).chunk(6, dim=1)
        attended, own = self.attn(modulate(self.norm1(x), shift1, scale1), cached)
        x = x + gate1[:, None] * attended
        x = x + gate2[:, None] * self.mlp(modulate(self.norm2(x), shift2, scale2))
        return x, own


class FinalLayer(nn.Module):
    def __init__(self, d, out):
        super().__init__()
        self.norm = nn.LayerNorm(d, elementwise_affine=False, eps=1e-6)
        self.linear = nn.Linear(d, out)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(d, 2 * d))

    def forward(self, x, c):
        shift, scale = self.adaLN_modulation(c).chunk(2, dim=1)
        return self.linear(modulate(self.norm(x), shift, scale))


class Condition(nn.Module):
    """Conditional aggregation: four streams to one vector; without it, `null_condition` alone."""

    def __init__(self, d, heads, patch_features, source_dim, pose_dim, aggregation):
        super().__init__()
        self.null_condition = nn.Parameter(torch.zeros(d))
        if not aggregation:
            return
        self.source_local = nn.Linear(patch_features, d)
        self.source_global = nn.Linear(source_dim, d)
        self.pose_local = nn.Linear(patch_features, d)
        self.pose_global = nn.Linear(pose_dim, d)
        self.norms = nn.ModuleList([nn.LayerNorm(d, eps=1e-6) for _ in range(4)])
        self.queries = nn.Parameter(torch.randn(4, d) * 0.02)
        self.cross_attn = nn.ModuleList([CrossAttention(d, heads) for _ in range(4)])
        self.norm_self = nn.LayerNorm(d, eps=1e-6)
        self.self_attn = SelfAttention(d, heads)
        self.norm_mlp = nn.LayerNorm(d, eps=1e-6)
        self.mlp = MLP(d, 4 * d)
        self.out = nn.Linear(4 * d, d)

    def forward(self, source_local, source_global, pose_local, pose_global):
        """Four streams [B, tokens, features] -> [B, D]"""
        streams = [
            self.source_local(source_local),
            self.source_global(source_global),
            self.pose_local(pose_local),
            self.pose_global(pose_global),
        ]
        rows = []
        for i, stream in enumerate(streams):
            query = self.queries[i].expand(stream.shape[0], 1, -1)
            rows.append(query + self.cross_attn[i](query, self.norms[i](stream)))
        v = torch.cat(rows, dim=1)  # [B, 4, D]
        v = v + self.self_attn(self.norm_self(v))[0]
        v = v + self.mlp(self.norm_mlp(v))
        return self.out(v.flatten(1))  # [B, D]


class RPFMTransformer2DModel(nn.Module):
    def __init__(self, **config):
        super().__init__()
        unknown = set(config) - set(DEFAULTS)
        if unknown:
            raise ValueError(f"unknown keys in the transformer's configuration: {sorted(unknown)}")
        self.config = {**DEFAULTS, **config}
        k = self.config
        d, p, c = k["hidden_size"], k["patch_size"], k["in_channels"]
        size = k["sample_size"]
        self.latent_size = tuple(size) if isinstance(size, (list, tuple)) else (size, size)
        features = c * p * p
        inputs = 3 * features if k["input_concatenation"] else features
        self.x_embedder = nn.Linear(inputs, d)
        self.t_embedder = TimeEmbedder(d)
        self.condition = Condition(
            d, k["num_heads"], features, k["source_encoder_dim"], k["pose_encoder_dim"],
            k["conditional_aggregation"])
        if k["reference_attention"]:
            self.ref_embedder = nn.Linear(features, d)
        self.blocks = nn.ModuleList(
            [Block(d, k["num_heads"], k["mlp_ratio"]) for _ in range(k["depth"])])
        self.final_layer = FinalLayer(d, features)
        rows, columns = (side // p for side in self.latent_size)
        self.register_buffer("pos", position_embedding(d, rows, columns), persistent=False)

    # Files

    @classmethod
    def from_pretrained(cls, folder):
        folder = Path(folder)
        model = cls(**json.loads((folder / "config.json").read_text()))
        model.load_state_dict(load_file(folder / "diffusion_pytorch_model.safetensors"))
        return model.float().eval()

    def save_pretrained(self, folder, dtype=torch.float32):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.config, indent=2) + "\n")
        tensors = {name: t.detach().to(dtype).contiguous() for name, t in self.state_dict().items()}
        save_file(tensors, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})

    def positions(self, z):
        """The position embedding of latents [B, C, h, w], [N, D]; scaled where it is another size."""
        size = tuple(side // self.config["patch_size"] for side in z.shape[2:])
        trained = tuple(side // self.config["patch_size"] for side in self.latent_size)
        if size == trained:
            return self.pos
        scale = self.config.get("scale_positions", True)
        pos = position_embedding(self.config["hidden_size"], *size, trained if scale else None)
        return pos.to(self.pos)

    # Conditioning

    def sources(self, z_s):
        """[B, C, h, w] or [B, S, C, h, w] -> a list of S latents [B, C, h, w]."""
        return [z_s] if z_s.dim() == 4 else list(z_s.unbind(1))

    def aggregate(self, z_s, z_p, g_s, g_p):
        """`cond` [B, D]. With several sources z_s is [B, S, C, h, w] and g_s [B, S, tokens, F]."""
        if not self.config["conditional_aggregation"]:
            return self.null_condition(z_p.shape[0])
        p = self.config["patch_size"]
        source_local = torch.cat([patches(z, p) for z in self.sources(z_s)], dim=1)
        source_global = g_s if g_s.dim() == 3 else g_s.flatten(1, 2)
        return self.condition(source_local, source_global, patches(z_p, p), g_p)

    def null_condition(self, batch):
        return self.condition.null_condition.expand(batch, -1)

    def reference(self, z_s):
        """The reference stream's (k, v) for each block, each [B, heads, S*N, width]."""
        if not self.config["reference_attention"]:
            return None
        streams = []
        for z in self.sources(z_s):
            x = self.ref_embedder(patches(z, self.config["patch_size"])) + self.positions(z)
            one = torch.ones(z.shape[0], device=z.device)
            c = self.t_embedder(one) + self.null_condition(z.shape[0])
            own = []
            for block in self.blocks:
                x, kv = block(x, c)
                own.append(kv)
            streams.append(own)
        return [
            tuple(torch.cat([s[i][j] for s in streams], dim=2) for j in (0, 1))
            for i in range(len(self.blocks))
        ]

    # Velocity

    def forward(self, z, t, z_s, z_p, cond, cached=None):
        """One evaluation: z, z_s, z_p [B, C, h, w], t [B], cond [B, D] -> velocity [B, C, h, w].

        `cached` is what `reference` gave, or None for none; z_s is the first source.
        """
        p = self.config["patch_size"]
        joined = torch.cat([z, z_s, z_p], dim=1) if self.config["input_concatenation"] else z
        x = self.x_embedder(patches(joined, p)) + self.positions(z)
        c = self.t_embedder(t) + cond
        for i, block in enumerate(self.blocks):
            x, _ = block(x, c, None if cached is None else cached[i])
        return unpatches(self.final_layer(x, c), p, z.shape[2], z.shape[3])

    def velocity(self, z, t, z_s, z_p, cond):
        """The conditional branch, its reference stream included."""
        return self(z, t, self.sources(z_s)[0], z_p, cond, self.reference(z_s))

    def velocity_empty(self, z, t):
        """The unguided branch: no condition, empty pictures, no reference."""
        nothing = torch.zeros_like(z)
        return self(z, t, nothing, nothing, self.null_condition(z.shape[0]))

    def guided(self, z, t, z_s, z_p, cond, cached, scale):
        v = self(z, t, self.sources(z_s)[0], z_p, cond, cached)
        if scale == 1:
            return v
        empty = self.velocity_empty(z, t)
        return empty + scale * (v - empty)


# Sampling

# name: (rows of A, b, c)
TABLEAUS = {
    "euler": ([[]], [1.0], [0.0]),
    "heun": ([[], [1.0]], [0.5, 0.5], [0.0, 1.0]),
    "midpoint": ([[], [0.5]], [0.0, 1.0], [0.0, 0.5]),
    "rk4": (
        [[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]],
        [1 / 6, 1 / 3, 1 / 3, 1 / 6],
        [0.0, 0.5, 0.5, 1.0],
    ),
}


def time_grid(steps, time_shift=1.0):
    """steps + 1 points from 0 to 1."""
    t = np.arange(steps + 1, dtype=np.float64) / steps
    return t if time_shift == 1.0 else time_shift * t / (1 + (time_shift - 1) * t)


def integrate(velocity, z, solver="heun", steps=8, time_shift=1.0, last_step_first_order=True):
    """Integrates dz/dt = velocity(z, t) from 0 to 1; t is given as a Python float. The last step of
    a method that evaluates at a step's end is Euler's, unless told otherwise."""
    grid = time_grid(steps, time_shift)
    for number, (start, end) in enumerate(zip(grid[:-1], grid[1:])):
        a, b, c = TABLEAUS[solver]
        if last_step_first_order and number + 1 == steps and 1.0 in c:
            a, b, c = TABLEAUS["euler"]
        dt = float(end - start)
        slopes = []
        for row, node in zip(a, c):
            at = z + dt * sum(w * k for w, k in zip(row, slopes)) if row else z
            slopes.append(velocity(at, float(start + node * dt)))
        z = z + dt * sum(w * k for w, k in zip(b, slopes))
    return z


def solve(model, z0, z_s, z_p, cond, solver="heun", steps=8, guidance=1.1, time_shift=1.0,
          last_step_first_order=True):
    """A whole solve from noise z0 [B, C, h, w] to the latent of the picture."""
    cached = model.reference(z_s)

    def velocity(z, t):
        time = torch.full((z.shape[0],), t, dtype=torch.float32, device=z.device)
        return model.guided(z, time, z_s, z_p, cond, cached, guidance)

    return integrate(velocity, z0, solver, steps, time_shift, last_step_first_order)


# Noise


def philox(seed, blocks):
    """Philox 4x32-10 of counters 0..blocks-1 under a 64-bit seed; gives uint32 [blocks, 4]."""
    mask = np.uint64(0xFFFFFFFF)
    index = np.arange(blocks, dtype=np.uint64)
    x = [index & mask, index >> np.uint64(32), np.zeros_like(index), np.zeros_like(index)]
    k0, k1 = seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
    for _ in range(10):
        p0 = x[0] * np.uint64(0xD2511F53)
        p1 = x[2] * np.uint64(0xCD9E8D57)
        x = [
            (p1 >> np.uint64(32)) ^ x[1] ^ np.uint64(k0),
            p1 & mask,
            (p0 >> np.uint64(32)) ^ x[3] ^ np.uint64(k1),
            p0 & mask,
        ]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(x, axis=1).astype(np.uint32)


def noise(seed, shape):
    """The specified normal noise, float32 of `shape` ([C, h, w])."""
    count = int(np.prod(shape))
    u = (philox(seed, (count + 3) // 4).astype(np.float64) + 0.5) * 2.0**-32
    normals = np.empty_like(u)
    for i in (0, 2):
        radius = np.sqrt(-2.0 * np.log(u[:, i]))
        normals[:, i] = radius * np.cos(2 * np.pi * u[:, i + 1])
        normals[:, i + 1] = radius * np.sin(2 * np.pi * u[:, i + 1])
    return normals.reshape(-1)[:count].reshape(shape).astype(np.float32)


# The pose picture

LIMBS = [
    (2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11), (2, 12), (12, 13),
    (13, 14), (2, 1), (1, 15), (15, 17), (1, 16), (16, 18),
]
COLOURS = [
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
]


def draw_pose(keypoints, height, width):
    """18 [x, y, confidence] in pixels -> the picture, uint8 [height, width, 3]."""
    picture = np.zeros((height, width, 3), dtype=np.float64)
    y, x = np.meshgrid(np.arange(height) + 0.5, np.arange(width) + 0.5, indexing="ij")
    radius = 4.0 * height / 256
    present = [c >= 0.05 and not (px == -1 and py == -1) for px, py, c in keypoints]

    def blend(distance, colour):
        coverage = np.clip(radius + 0.5 - distance, 0, 1)[..., None]
        picture[:] = picture * (1 - coverage) + np.asarray(colour, dtype=np.float64) * coverage

    for limb, (one, two) in enumerate(LIMBS):
        if not (present[one - 1] and present[two - 1]):
            continue
        (ax, ay, _), (bx, by, _) = keypoints[one - 1], keypoints[two - 1]
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / length, 0, 1) if length > 0 else 0.0
        blend(np.hypot(x - (ax + along * dx), y - (ay + along * dy)), np.array(COLOURS[limb]) * 0.6)
    for joint, (px, py, _) in enumerate(keypoints):
        if present[joint]:
            blend(np.hypot(x - px, y - py), COLOURS[joint])
    return np.round(picture).clip(0, 255).astype(np.uint8)


def to_picture(image):
    """A decoded image [3, H, W] in about [-1, 1] -> uint8 [H, W, 3]."""
    image = image.detach().float().clamp(-1, 1).permute(1, 2, 0).numpy().astype(np.float64)
    return np.round((image + 1) * 127.5).astype(np.uint8)
