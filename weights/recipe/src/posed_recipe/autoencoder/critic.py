"""What makes reconstructions sharp: a critic of patches, the same picture at another scale and turn, hands and faces."""

import torch
import torch.nn.functional as F
from torch import nn

from posed_recipe.pose.skeleton import BODY, FACE, POINTS, present

HEAD = [0, 14, 15, 16, 17]


class Critic(nn.Module):
    """Says of each patch of pictures [B, 3, H, W] how real it looks: [B, 1, H/8, W/8], higher is more real."""

    def __init__(self, width=32):
        super().__init__()
        widths = (3, width, 2 * width, 4 * width)
        self.layers = nn.ModuleList([
            nn.utils.parametrizations.spectral_norm(nn.Conv2d(one, other, 4, stride=2, padding=1))
            for one, other in zip(widths, widths[1:])])
        self.last = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, pictures):
        for layer in self.layers:
            pictures = F.leaky_relu(layer(pictures), 0.2)
        return self.last(pictures)

    def own_loss(self, real, made):
        """The critic's: tells real pictures from made ones. Whoever made them learns nothing from it."""
        return F.softplus(-self(real)).mean() + F.softplus(self(made.detach())).mean()

    def complaint(self, made):
        """The maker's: how little real its pictures look. The critic learns nothing from it."""
        held = [parameter for parameter in self.parameters() if parameter.requires_grad]
        for parameter in held:
            parameter.requires_grad_(False)
        try:
            return F.softplus(-self(made)).mean()
        finally:
            for parameter in held:
                parameter.requires_grad_(True)


def balanced(loss, complaint, made, share):
    """The loss with the complaint, weighed so that its gradient at the pictures `made` is `share` times the loss's:
    both change in size while a training goes on."""
    norms = [torch.autograd.grad(one, made, retain_graph=True)[0].norm() for one in (loss, complaint)]
    return loss + share * (norms[0] / norms[1].clamp_min(1e-12)).detach() * complaint


def focused_difference(output, target, points):
    """Mean absolute difference of pictures about the hands and heads that `points` [B, 130, 3] tell; 0 without any."""
    where = focus(points, *target.shape[-2:])
    return ((output - target).abs() * where).sum() / (3 * where.sum()).clamp_min(1)


def changed_alike(pictures, latents):
    """Pictures [B, 3, H, W] and latents [B, C, h, w], both half as large and a quarter turned: an autoencoder whose
    latents are pictures of pictures decodes the one to the other."""
    return tuple(F.avg_pool2d(one, 2).rot90(1, (-2, -1)) for one in (pictures, latents))


def focus_points(points):
    """The points [B, n, 3] of hands and heads among [B, 130, 3]; those that are absent have 0 at their ends."""
    chosen = torch.cat([points[:, HEAD], points[:, BODY:POINTS - FACE]], dim=1)
    return torch.cat([chosen[..., :2], (chosen[..., 2:] * present(chosen)[..., None]).clamp_min(0)], dim=-1)


def focus(points, height, width, radius=8.0, cell=4):
    """Where hands and heads are: float [B, 1, height, width], from 0 to 1 at the points [B, 130, 3] of a picture.

    Points that are absent count nothing, and so do those outside the picture.
    """
    chosen = focus_points(points)
    there = chosen[..., 2] > 0
    y = (torch.arange(height // cell, device=points.device)[:, None] + 0.5) * cell
    x = (torch.arange(width // cell, device=points.device)[None, :] + 0.5) * cell
    away = ((x - chosen[..., 0, None, None])**2 + (y - chosen[..., 1, None, None])**2).sqrt()  # [B, n, h, w]
    near = (2 - away / radius).clamp(0, 1) * there[..., None, None]
    return F.interpolate(near.amax(dim=1, keepdim=True), size=(height, width), mode="bilinear")
