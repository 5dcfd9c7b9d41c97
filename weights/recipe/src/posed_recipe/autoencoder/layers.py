"""The layers of the autoencoder, under the names that diffusers gives them."""

import torch.nn.functional as F
from torch import nn

EPS = 1e-6


class ResnetBlock(nn.Module):
    """Two 3x3 convolutions, each after a group norm and SiLU, beside a shortcut; [B, C, H, W]."""

    def __init__(self, inputs, outputs, groups):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inputs, eps=EPS)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, outputs, eps=EPS)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        if inputs != outputs:
            self.conv_shortcut = nn.Conv2d(inputs, outputs, 1)
        self.widens = inputs != outputs

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return (self.conv_shortcut(x) if self.widens else x) + h


class AttentionBlock(nn.Module):
    """Self-attention of one head over all positions."""

    def __init__(self, channels, groups):
        super().__init__()
        self.group_norm = nn.GroupNorm(groups, channels, eps=EPS)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x):
        b, c, h, w = x.shape
        tokens = self.group_norm(x).flatten(2).transpose(1, 2)  # [B, H*W, C]
        q, k, v = (layer(tokens)[:, None] for layer in (self.to_q, self.to_k, self.to_v))
        out = F.scaled_dot_product_attention(q, k, v)[:, 0]
        return x + self.to_out[0](out).transpose(1, 2).reshape(b, c, h, w)


class Downsample(nn.Module):
    """Halves both sides; the padding is to the right and below alone."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    """Doubles both sides: the nearest neighbour, then a convolution."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Stage(nn.Module):
    """Residual blocks at one size, and perhaps the way to the next."""

    def __init__(self, inputs, outputs, layers, groups, down=False, up=False):
        super().__init__()
        self.resnets = nn.ModuleList(
            [ResnetBlock(inputs if i == 0 else outputs, outputs, groups) for i in range(layers)])
        if down:
            self.downsamplers = nn.ModuleList([Downsample(outputs)])
        if up:
            self.upsamplers = nn.ModuleList([Upsample(outputs)])
        self.way = "downsamplers" if down else "upsamplers" if up else None

    def forward(self, x):
        for resnet in self.resnets:
            x = resnet(x)
        return getattr(self, self.way)[0](x) if self.way else x


class MiddleBlock(nn.Module):
    """Where the latent is nearest: residual block, attention, residual block."""

    def __init__(self, channels, groups, attention):
        super().__init__()
        self.resnets = nn.ModuleList([ResnetBlock(channels, channels, groups) for _ in range(2)])
        if attention:
            self.attentions = nn.ModuleList([AttentionBlock(channels, groups)])
        self.attends = attention

    def forward(self, x):
        x = self.resnets[0](x)
        if self.attends:
            x = self.attentions[0](x)
        return self.resnets[1](x)


class Encoder(nn.Module):
    """[B, 3, H, W] -> means and log variances, [B, 2*C, h, w]"""

    def __init__(self, config):
        super().__init__()
        widths, groups = config.block_out_channels, config.norm_num_groups
        self.conv_in = nn.Conv2d(config.in_channels, widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList([
            Stage(widths[max(0, i - 1)], width, config.layers_per_block, groups, down=i + 1 < len(widths))
            for i, width in enumerate(widths)
        ])
        self.mid_block = MiddleBlock(widths[-1], groups, config.mid_block_add_attention)
        self.conv_norm_out = nn.GroupNorm(groups, widths[-1], eps=EPS)
        self.conv_out = nn.Conv2d(widths[-1], 2 * config.latent_channels, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        x = self.mid_block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class Decoder(nn.Module):
    """[B, C, h, w] -> [B, 3, H, W]"""

    def __init__(self, config):
        super().__init__()
        widths, groups = config.block_out_channels[::-1], config.norm_num_groups
        self.conv_in = nn.Conv2d(config.latent_channels, widths[0], 3, padding=1)
        self.mid_block = MiddleBlock(widths[0], groups, config.mid_block_add_attention)
        self.up_blocks = nn.ModuleList([
            Stage(widths[max(0, i - 1)], width, config.layers_per_block + 1, groups, up=i + 1 < len(widths))
            for i, width in enumerate(widths)
        ])
        self.conv_norm_out = nn.GroupNorm(groups, widths[-1], eps=EPS)
        self.conv_out = nn.Conv2d(widths[-1], config.out_channels, 3, padding=1)

    def forward(self, z):
        x = self.mid_block(self.conv_in(z))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))
