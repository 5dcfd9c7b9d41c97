"""Training the autoencoder on pictures and on drawn poses, which it has to carry too."""

import copy
import math
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D

from posed_recipe.autoencoder.critic import Critic, changed_alike, focused_difference
from posed_recipe.autoencoder.losses import divergence, reconstruction_loss
from posed_recipe.autoencoder.model import AutoencoderConfig, AutoencoderKL
from posed_recipe.data.augment import colour_shifts, shift_colours
from posed_recipe.pose import PoseDrawer
from posed_recipe.training.loop import Trainer, TrainingOptions, autocast, compile_parts, generator


@dataclass
class AutoencoderOptions:
    """Sizes and training of the autoencoder."""

    widths: tuple = (32, 64, 128, 128)
    layers: int = 1
    groups: int = 8
    latent_channels: int = 4
    batch: int = 64
    """Crops in a step, over all processes; whole pictures are fewer by the ratio of their areas."""
    crop: int = 128
    whole: float = 0.25
    """Part of the training, at its end, that sees whole pictures."""
    poses: float = 0.125
    """Part of each batch that is drawn poses."""
    drawer: PoseDrawer = field(default_factory=PoseDrawer)
    """How they are drawn."""
    divergence: float = 1e-4
    thumbnail: float = 2.0
    """Weight of a picture of the latent's size that a linear map has to find in it. Without it a short training spends
    all channels on light and edges: reds and greens stay out, and no later gradient calls them in."""
    squares: float = 0.0
    """Weight of the mean squared error beside the absolute one: PSNR counts squares."""
    critic: float = 0.0
    """Weight of a critic's complaints; it learns beside the autoencoder to tell patches of pictures from reconstructions."""
    equivariance: float = 0.0
    """Weight of reconstructions from latents that were made half as large and turned, against pictures that were."""
    focus: float = 0.0
    """Weight of the absolute difference about hands and heads, where the set has their points."""
    decoder_alone: bool = False
    """Leaves the encoder as it was begun with, so that latents, and flows trained on them, stay true."""
    pictures: int | None = None
    """At most so many pictures are held in memory."""
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(
        learning_rate=1e-3, weight_decay=1e-3, decay=0.5))

    def config(self, size):
        """The autoencoder's configuration for pictures of `size`."""
        return AutoencoderConfig(
            block_out_channels=tuple(self.widths), layers_per_block=self.layers, norm_num_groups=self.groups,
            latent_channels=self.latent_channels, sample_size=size, scaling_factor=1.0)


class Reconstruction(torch.nn.Module):
    """The autoencoder as it is trained: pictures to losses."""

    def __init__(self, autoencoder, options):
        super().__init__()
        self.autoencoder, self.options = autoencoder, options
        self.thumbnail = torch.nn.Conv2d(autoencoder.config.latent_channels, autoencoder.config.out_channels, 1)
        self.critic = Critic() if options.critic else None

    def forward(self, target, noise, points):
        """Pictures [B, 3, H, W] in [-1, 1], noise [B, C, h, w], points [B, 130, 3] -> loss and numbers to tell."""
        mean, logvar = (part.float() for part in self.autoencoder.posterior(target))
        deviation = (0.5 * logvar).exp()
        output = self.autoencoder.reconstruct(mean + deviation * noise).float()
        likeness = reconstruction_loss(output, target, squares=self.options.squares)
        kl = divergence(mean, logvar)
        small = F.avg_pool2d(target, self.autoencoder.config.downsampling)
        likeness = likeness + self.options.thumbnail * (self.thumbnail(mean).float() - small).abs().mean()
        values = {
            "psnr": 10 * torch.log10(4 / (output.detach().clamp(-1, 1) - target).square().mean()),
            "kl": kl.detach(),
            "relative_noise": (deviation.detach().square().mean() / mean.detach().var()).sqrt(),
        }
        extra, told = self.sharpness(target, mean, output, points)
        return likeness + self.options.divergence * kl + extra, values | told

    def sharpness(self, target, mean, output, points):
        """The loss of critic, equivariance and focus, and numbers to tell."""
        options, loss, told = self.options, 0.0, {}
        if options.equivariance:
            smaller, latents = changed_alike(target, mean)
            apart = (self.autoencoder.reconstruct(latents).float() - smaller).abs().mean()
            loss, told = loss + options.equivariance * apart, told | {"equivariance": apart.detach()}
        if options.focus:
            apart = focused_difference(output, target, points)
            loss, told = loss + options.focus * apart, told | {"focus": apart.detach()}
        if self.critic is not None:
            own, complaint = self.critic.own_loss(target, output), self.critic.complaint(output)
            loss = loss + own + options.critic * complaint
            told |= {"critic": own.detach(), "complaint": complaint.detach()}
        return loss, told


class AutoencoderTask:
    """What a `Trainer` runs."""

    def __init__(self, bank, options, processes, start=None):
        self.bank, self.options, self.processes = bank, options, processes
        torch.manual_seed(options.training.seed)
        autoencoder = start or quiet(AutoencoderKL(options.config(bank.pictures.shape[-1])))
        if autoencoder.config.latent_channels < options.latent_channels:
            autoencoder = widened(autoencoder, options.latent_channels)
        autoencoder.to(processes.device).train()
        autoencoder.to(memory_format=torch.channels_last)
        if options.decoder_alone:
            autoencoder.encoder.requires_grad_(False)
            autoencoder.quant_conv.requires_grad_(False)
        self.module = Reconstruction(autoencoder, options).to(processes.device)
        if options.training.compile:
            compile_parts(autoencoder, ResnetBlock2D)

    def loss(self, model, step, progress):
        """Loss of one step."""
        options, device = self.options, self.processes.device
        side = self.bank.pictures.shape[-1]
        crop = options.crop if progress < 1 - options.whole else side
        count = max(self.processes.world, options.batch * options.crop**2 // crop**2)
        count -= count % self.processes.world
        random = generator(device, options.training.seed, step)
        pictures, points = self.draw(count, crop, random)
        scale = self.module.autoencoder.config.downsampling
        noise = torch.randn(
            count, options.latent_channels, crop // scale, crop // scale, generator=random, device=device)
        mine = self.processes.share(count)
        target = (pictures[mine].float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        with autocast(device, options.training.precision):
            return model(target, noise[mine], points[mine])

    def draw(self, count, crop, random):
        """uint8 pictures [count, 3, crop, crop]: turned, moved in colour and cut; some are poses. And their points
        [count, 130, 3], those of poses absent."""
        device = self.processes.device
        side = self.bank.pictures.shape[-1]
        numbers = torch.randint(len(self.bank), (count,), generator=random, device=device)
        poses = math.floor(count * self.options.poses)
        chosen = self.bank.pictures[numbers]
        if poses:
            drawn = self.options.drawer(self.bank.keypoints[numbers[:poses]], side, side)
            chosen = torch.cat([drawn, chosen[poses:]])
        corners = torch.randint(0, side - crop + 1, (count, 2), generator=random, device=device)
        pixel = torch.arange(crop, device=device)
        rows = (corners[:, 0, None] + pixel)[:, None, :, None]
        columns = (corners[:, 1, None] + pixel)[:, None, None, :]
        turn = torch.rand(count, generator=random, device=device)[:, None, None, None] < 0.5
        columns = torch.where(turn, columns.flip(-1), columns)
        every = torch.arange(count, device=device)[:, None, None, None]
        cut = chosen[every, torch.arange(3, device=device)[None, :, None, None], rows, columns]
        matrices, offsets = colour_shifts(count, random)
        changed = shift_colours(cut, matrices, offsets)
        changed[:poses] = cut[:poses]
        points = self.bank.keypoints[numbers].clone()
        points[..., :2] -= corners[:, None].flip(-1)
        points[..., 0] = torch.where(turn[:, 0, 0], crop - points[..., 0], points[..., 0])
        points[:poses, :, 2] = 0
        points[..., 2] *= ((points[..., :2] >= 0) & (points[..., :2] < crop)).all(-1)
        return changed, points

    def watch(self, journal, step):
        """Tells how well whole pictures are reconstructed, and shows eight of them."""
        pictures = self.bank.pictures[torch.arange(0, len(self.bank), max(1, len(self.bank) // 8))[:8]]
        target = pictures.float() / 127.5 - 1
        with autocast(self.processes.device, self.options.training.precision):
            mean, _ = self.module.autoencoder.posterior(target)
            output = self.module.autoencoder.reconstruct(mean).float().clamp(-1, 1)
        error = (output - target).square().mean(dim=(1, 2, 3))
        journal.say(f"step {step}: {(10 * torch.log10(4 / error)).mean():.2f} dB on eight whole pictures")
        sheet = torch.cat([target, output], dim=2).permute(2, 0, 3, 1).flatten(1, 2)
        journal.picture("reconstruction", ((sheet + 1) * 127.5).round().byte().cpu().numpy(), step)


@torch.no_grad()
def quiet(autoencoder, logvar=-5.0):
    """A new autoencoder whose posterior has little noise, so that its decoder hears the mean from the start."""
    autoencoder.quant_conv.bias[autoencoder.config.latent_channels:] = logvar
    return autoencoder


@torch.no_grad()
def widened(autoencoder, channels):
    """The autoencoder with more latent channels: at first it paints what it painted, and the new ones are not heard."""
    old = autoencoder.config.latent_channels
    made = quiet(AutoencoderKL(replace(autoencoder.config, latent_channels=channels)))
    means = torch.arange(old)
    moments = torch.cat([means, means + channels])
    known, tensors = autoencoder.state_dict(), made.state_dict()
    places = {  # where old outputs and inputs lie among the new ones; None: as they are
        "encoder.conv_out": (moments, None), "quant_conv": (moments, moments), "post_quant_conv": (means, means),
        "decoder.conv_in": (None, means)}
    for name, value in known.items():
        outputs, inputs = places.get(name.rpartition(".")[0], (None, None))
        tensor = tensors[name]
        if inputs is not None and name.endswith("weight"):
            tensor[outputs if outputs is not None else slice(None)] = 0
            part = tensor[:, inputs].clone()
            part[outputs if outputs is not None else slice(None)] = value
            tensor[:, inputs] = part
        elif outputs is not None:
            tensor[outputs] = value
        else:
            tensor.copy_(value)
    return made


def train_autoencoder(bank, folder, budget, options, processes, deadline=None, start=None):
    """Trains in `folder`; gives the autoencoder with averaged, normalized weights, or None if time ran out.

    `start` is an autoencoder to go on from, whatever its sizes, and with more latent channels where the options say so;
    without it a new one is made.
    """
    task = AutoencoderTask(bank, options, processes, start)
    trainer = Trainer(folder, "autoencoder", task, budget, options.training, processes, deadline)
    if not trainer.run():
        return None
    autoencoder = copy.deepcopy(trainer.averaged().autoencoder)
    if options.decoder_alone:
        return autoencoder
    return normalize(autoencoder, bank.pictures[:len(bank):max(1, len(bank) // 128)])


@torch.no_grad()
def normalize(autoencoder, pictures):
    """Gives every latent channel mean 0 and deviation 1 over `pictures`, by changing the 1x1 convolutions.

    The flow's noise has deviation 1 in every channel; `scaling_factor` alone could not do this for each.
    """
    c = autoencoder.config.latent_channels
    latents = torch.cat([
        autoencoder.posterior(chunk.float() / 127.5 - 1)[0] for chunk in pictures.split(16)])
    mean, deviation = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    into, out = autoencoder.quant_conv, autoencoder.post_quant_conv
    into.weight[:c] /= deviation[:, None, None, None]
    into.bias[:c] = (into.bias[:c] - mean) / deviation
    into.bias[c:] -= 2 * deviation.log()
    out.bias += out.weight[:, :, 0, 0] @ mean
    out.weight *= deviation[None, :, None, None]
    return autoencoder
