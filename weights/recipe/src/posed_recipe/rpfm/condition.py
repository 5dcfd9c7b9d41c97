"""Conditional aggregation: source and pose, each seen locally and globally, become one vector."""

import torch
from torch import nn

from posed_recipe.rpfm.layers import MLP, CrossAttention, SelfAttention


class Condition(nn.Module):
    """Four streams to `cond`; without aggregation there is `null_condition` alone.

    The query of a cross-attention is used as it is: only the stream that it looks at is normalized.
    """

    def __init__(self, config):
        super().__init__()
        d, heads, local = config.hidden_size, config.num_heads, config.patch_features
        self.null_condition = nn.Parameter(torch.zeros(d))
        if not config.conditional_aggregation:
            return
        self.source_local = nn.Linear(local, d)
        self.source_global = nn.Linear(config.source_encoder_dim, d)
        self.pose_local = nn.Linear(local, d)
        self.pose_global = nn.Linear(config.pose_encoder_dim, d)
        self.norms = nn.ModuleList([nn.LayerNorm(d, eps=1e-6) for _ in range(4)])
        self.queries = nn.Parameter(torch.randn(4, d) * 0.02)
        self.cross_attn = nn.ModuleList([CrossAttention(d, heads) for _ in range(4)])
        self.norm_self = nn.LayerNorm(d, eps=1e-6)
        self.self_attn = SelfAttention(d, heads)
        self.norm_mlp = nn.LayerNorm(d, eps=1e-6)
        self.mlp = MLP(d, 4 * d)
        self.out = nn.Linear(4 * d, d)

    def forward(self, source_local, source_global, pose_local, pose_global):
        """Four streams [B, T, features] -> [B, D]"""
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
