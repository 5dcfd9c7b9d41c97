"""The transformer that predicts the velocity."""

import json
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from posed_recipe.rpfm.condition import Condition
from posed_recipe.rpfm.config import TransformerConfig
from posed_recipe.rpfm.layers import Block, FinalLayer, TimeEmbedder, patches, position_embedding, unpatches
from posed_recipe.weights import load_part, save_part

WEIGHTS = "diffusion_pytorch_model"


class RPFMTransformer2DModel(nn.Module):
    """v(z, t, source, pose).

    `z_s` is the source's latent [B, C, h, w], or of S sources [B, S, C, h, w]; `g_s` follows with
    [B, T, F] or [B, S, T, F]. Each source's reference stream attends to itself alone, and their keys
    and values are joined along the tokens. z_s of the first is the one beside z_t.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        d, features = config.hidden_size, config.patch_features
        self.x_embedder = nn.Linear(3 * features if config.input_concatenation else features, d)
        self.t_embedder = TimeEmbedder(d)
        self.condition = Condition(config)
        if config.reference_attention:
            self.ref_embedder = nn.Linear(features, d)
        self.blocks = nn.ModuleList(
            [Block(d, config.num_heads, config.mlp_ratio) for _ in range(config.depth)])
        self.final_layer = FinalLayer(d, features)
        rows, columns = (side // config.patch_size for side in config.latent_size)
        self.register_buffer("pos", position_embedding(d, rows, columns), persistent=False)

    # Files

    @classmethod
    def from_pretrained(cls, folder):
        """The model of a folder, in float32."""
        folder = Path(folder)
        config = TransformerConfig.from_dict(json.loads((folder / "config.json").read_text()))
        return load_part(cls(config), folder, WEIGHTS)

    def save_pretrained(self, folder, dtype=torch.float32, shard_bytes=None):
        """Writes `config.json` and the weights."""
        save_part(self, self.config.to_dict(), folder, WEIGHTS, dtype, shard_bytes)

    def positions(self, z):
        """The position embedding of latents [B, C, h, w], [N, D]; scaled to the trained grid at another size."""
        p = self.config.patch_size
        size = tuple(side // p for side in z.shape[2:])
        trained = tuple(side // p for side in self.config.latent_size)
        if size == trained:
            return self.pos
        scaled = trained if self.config.scale_positions else None
        return position_embedding(self.config.hidden_size, *size, scaled).to(self.pos)

    # What does not depend on z and t

    def aggregate(self, z_s, z_p, g_s, g_p):
        """`cond` [B, D]."""
        if not self.config.conditional_aggregation:
            return self.null_condition(z_p.shape[0])
        p = self.config.patch_size
        source_local = torch.cat([patches(z, p) for z in sources(z_s)], dim=1)
        source_global = g_s if g_s.dim() == 3 else g_s.flatten(1, 2)
        return self.condition(source_local, source_global, patches(z_p, p), g_p)

    def null_condition(self, batch):
        """What stands for "no condition", [B, D]."""
        return self.condition.null_condition.expand(batch, -1)

    def reference(self, z_s):
        """The reference stream's (k, v) for each block, each [B, heads, S*N, D/heads]; None without."""
        if not self.config.reference_attention:
            return None
        streams = []
        for z in sources(z_s):
            x = self.ref_embedder(patches(z, self.config.patch_size)) + self.positions(z)  # [B, N, D]
            one = torch.ones(z.shape[0], device=z.device)
            c = self.t_embedder(one) + self.null_condition(z.shape[0])
            own = []
            for block in self.blocks:
                x, (_, k, v) = block(x, c)
                own.append((k, v))
            streams.append(own)
        return [
            tuple(torch.cat([stream[i][j] for stream in streams], dim=2) for j in (0, 1))
            for i in range(len(self.blocks))
        ]

    # Velocity

    def forward(self, z, t, z_s, z_p, cond, cached=None, queries=None, order=None):
        """One evaluation: z, z_s, z_p [B, C, h, w], t [B], cond [B, D] -> velocity [B, C, h, w].

        `cached` is what `reference` gave, or None; z_s is the first source. Where `reference` was given fewer rows,
        each of them serves as many rows of z, which follow one another. Each block's queries [B, heads, N, D/heads] are
        added to `queries`, where that is a list. `order` [B, M] numbers the tokens that are computed, in this order; the
        velocity of others is 0.
        """
        p = self.config.patch_size
        joined = torch.cat([z, z_s, z_p], dim=1) if self.config.input_concatenation else z
        x = self.x_embedder(patches(joined, p)) + self.positions(z)  # [B, N, D]
        n = x.shape[1]
        if order is not None:
            x = x.gather(1, order[..., None].expand(-1, -1, x.shape[2]))
        c = self.t_embedder(t) + cond
        for i, block in enumerate(self.blocks):
            x, (q, _, _) = block(x, c, None if cached is None else cached[i])
            if queries is not None:
                queries.append(q)
        x = self.final_layer(x, c)
        if order is not None:
            x = x.new_zeros(len(x), n, x.shape[2]).scatter(1, order[..., None].expand_as(x), x)
        return unpatches(x, p, z.shape[2], z.shape[3])

    def velocity_empty(self, z, t):
        """The empty branch of guidance: no condition, empty pictures, no reference."""
        nothing = torch.zeros_like(z)
        return self(z, t, nothing, nothing, self.null_condition(z.shape[0]))

    def guided(self, z, t, z_s, z_p, cond, cached, scale):
        """Classifier-free guidance; scale 1 evaluates the conditional branch alone."""
        v = self(z, t, sources(z_s)[0], z_p, cond, cached)
        if scale == 1:
            return v
        empty = self.velocity_empty(z, t)
        return empty + scale * (v - empty)


def sources(z_s):
    """[B, C, h, w] or [B, S, C, h, w] -> a list of S latents [B, C, h, w]."""
    return [z_s] if z_s.dim() == 4 else list(z_s.unbind(1))


def initialise(model):
    """Weights to begin training with: DiT's, so that every block and the output begin as nothing."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    for layer in (model.t_embedder.mlp[0], model.t_embedder.mlp[2]):
        nn.init.normal_(layer.weight, std=0.02)
    for block in model.blocks:
        nn.init.zeros_(block.adaLN_modulation[1].weight)
    nn.init.zeros_(model.final_layer.adaLN_modulation[1].weight)
    nn.init.zeros_(model.final_layer.linear.weight)
    return model


@torch.no_grad()
def widened(model, channels):
    """The transformer for latents of more channels: it does with the first ones what it did, hears nothing of the new
    ones, and answers 0 for their velocity."""
    config = model.config
    made = RPFMTransformer2DModel(replace(config, in_channels=channels))
    old, new = config.patch_features, made.config.patch_features
    tensors = made.state_dict()
    for name, value in model.state_dict().items():
        tensor = tensors[name]
        if tensor.shape == value.shape:
            tensor.copy_(value)
            continue
        tensor.zero_()
        if name.startswith("final_layer.linear"):
            tensor[:old] = value
            continue
        # Latents lie side by side, each in the order of its channels.
        tensor.unflatten(1, (-1, new))[..., :old] = value.unflatten(1, (-1, old))
    return made
