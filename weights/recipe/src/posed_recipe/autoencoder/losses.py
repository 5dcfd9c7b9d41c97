"""What the autoencoder is trained on.

No weights of a perceptual network are needed: absolute differences at three scales, the differences of
gradients, and structural similarity together hold both colours and detail.
"""

import torch
import torch.nn.functional as F


def reconstruction_loss(output, target, gradient=0.5, structure=0.2, colour=1.5, squares=0.0):
    """A scalar for pictures [B, 3, H, W] in [-1, 1]; `squares` weighs the mean squared error."""
    loss = squares * (output.float() - target.float()).square().mean()
    a, b = output.float(), target.float()
    for scale in range(3):
        if scale:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        loss = loss + (a - b).abs().mean() / 2**scale
        if scale < 2:
            loss = loss + gradient * gradient_difference(a, b) / 2**scale
    if colour:
        loss = loss + colour * colour_difference(output.float() - target.float())
    if structure:
        loss = loss + structure * (1 - similarity(output.float(), target.float()))
    return loss


def gradient_difference(a, b):
    """Mean absolute difference of the pictures' slopes."""
    d = a - b
    return (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()


def contrast_difference(a, b, cell=8, floor=0.03, scales=2):
    """Mean absolute logarithm of how much stronger slopes are about each place of one picture than of the other.

    Differences of pixels reward a blur where a detail's place is not known. This asks for slopes as strong as the
    target's, wherever they lie within a window of `cell` pixels; below `floor` they count as none.
    """
    loss = 0.0
    for scale in range(scales):
        if scale:
            a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
        loss = loss + (slopes(a, cell, floor) - slopes(b, cell, floor)).abs().mean() / scales
    return loss


def slopes(picture, cell, floor):
    """Logarithms of the mean slopes in windows of `cell` pixels, half of which overlap: [B, 1, h, w]."""
    across = (picture[..., :-1, 1:] - picture[..., :-1, :-1]).abs()
    down = (picture[..., 1:, :-1] - picture[..., :-1, :-1]).abs()
    return (F.avg_pool2d((across + down).mean(1, keepdim=True), cell, cell // 2) + floor).log()


def colour_difference(d, side=8):
    """Mean absolute difference of red against green and of blue against both, over squares of `side` pixels.

    Light and its edges are most of the other terms; four channels would be spent on them before the second axis of
    colour, and reds would come out brown.
    """
    red, green, blue = F.avg_pool2d(d, side).unbind(1)
    return (red - green).abs().mean() + (blue - (red + green) / 2).abs().mean()


def similarity(a, b, radius=5, sigma=1.5):
    """Mean SSIM of pictures in [-1, 1], with a Gaussian window.

    Blurring is two products with banded matrices, which every device does fast.
    """
    with torch.autocast(a.device.type, enabled=False):
        rows, columns = (band(side, radius, sigma, a) for side in a.shape[-2:])
        mean_a, mean_b, aa, bb, ab = (rows @ plane @ columns.mT for plane in (a, b, a * a, b * b, a * b))
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    covariance, variances = ab - mean_a * mean_b, aa - mean_a**2 + bb - mean_b**2
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return (top / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))).mean()


def band(side, radius, sigma, like):
    """[side - 2*radius, side]: each row a Gaussian window, one pixel on."""
    t = torch.arange(side, device=like.device, dtype=like.dtype)
    distance = t[None] - t[radius:side - radius, None]
    window = torch.exp(-distance.square() / (2 * sigma**2)) * (distance.abs() <= radius)
    return window / window.sum(dim=1, keepdim=True)


def divergence(mean, logvar):
    """Mean Kullback-Leibler divergence of the posterior from a standard normal."""
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()
