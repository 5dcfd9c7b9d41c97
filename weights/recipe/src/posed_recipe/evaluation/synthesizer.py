"""From a picture and a pose to a picture, with the parts of a model, as the engine does it."""

from dataclasses import asdict, dataclass

import numpy as np
import torch
from PIL import Image

from posed_recipe.data.pictures import fit
from posed_recipe.rpfm import noise, solve, steps_of_budget
from posed_recipe.training.loop import autocast


@dataclass
class Settings:
    """How to sample."""

    solver: str = "heun"
    nfe: int = 16
    guidance: float = 1.1
    time_shift: float = 1.0
    seed: int = 0
    precision: str = "f32"
    last_step_first_order: bool = True

    @property
    def steps(self):
        """As many as the evaluations allow."""
        return steps_of_budget(self.solver, self.nfe, self.last_step_first_order)

    def describe(self):
        """For a report."""
        return {**asdict(self), "steps": self.steps}


class Synthesizer:
    """Works on batches of pictures of the model's size."""

    def __init__(self, model):
        self.model = model
        self.device = next(model.transformer.parameters()).device

    @torch.no_grad()
    def conditions(self, sources, keypoints):
        """uint8 sources [B, H, W, 3] and points [B, 18 or 130, 3] in their pixels -> z_s, z_p, g_s, g_p."""
        model = self.model
        height, width = sources.shape[1:3]
        poses = model.pose_drawer(torch.as_tensor(keypoints, device=self.device), height, width)
        poses = poses.permute(0, 2, 3, 1).cpu().numpy()
        z_s, z_p = self.encode(sources), self.encode(poses)
        if not model.transformer.config.conditional_aggregation:
            return z_s, z_p, None, None
        pose_encoder = model.pose_encoder or model.source_encoder
        pose_preprocessor = model.pose_preprocessor or model.source_preprocessor
        return (z_s, z_p, self.features(sources, model.source_encoder, model.source_preprocessor),
                self.features(poses, pose_encoder, pose_preprocessor))

    def encode(self, pictures):
        """Latents of uint8 pictures [B, H, W, 3]."""
        return self.model.vae.encode(self.planes(pictures) / 127.5 - 1)

    def planes(self, pictures):
        """uint8 [B, H, W, 3] -> float [B, 3, H, W]"""
        return torch.from_numpy(np.array(pictures)).to(self.device).permute(0, 3, 1, 2).float()

    def features(self, pictures, encoder, preprocessor):
        """Hidden states of uint8 pictures, through Pillow's resizing."""
        pixels = torch.cat([preprocessor.pixel_values(Image.fromarray(p)) for p in pictures])
        return encoder(pixels.to(self.device))

    @torch.no_grad()
    def decode(self, latents):
        """uint8 pictures [B, H, W, 3]."""
        images = self.model.vae.decode(latents).float().clamp(-1, 1)
        return ((images + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()

    @torch.no_grad()
    def reconstruct(self, pictures):
        """Pictures through the autoencoder."""
        return self.decode(self.encode(pictures))

    @torch.no_grad()
    def latents(self, sources, keypoints, settings, first=0):
        """Solves for B pairs; pair i starts from the noise of seed + first + i."""
        with autocast(self.device, settings.precision):
            z_s, z_p, g_s, g_p = self.conditions(sources, keypoints)
            cond = self.model.transformer.aggregate(z_s, z_p, g_s, g_p)
            seeds = range(settings.seed + first, settings.seed + first + len(sources))
            z0 = np.stack([noise(seed, tuple(z_p.shape[1:])) for seed in seeds])
            return solve(
                self.model.transformer, torch.from_numpy(z0).to(self.device), z_s, z_p, cond,
                settings.solver, settings.steps, settings.guidance, settings.time_shift,
                settings.last_step_first_order)

    def synthesize(self, sources, keypoints, settings, first=0):
        """uint8 pictures [B, H, W, 3]."""
        pictures = self.decode(self.latents(sources, keypoints, settings, first))
        if self.model.detail_decoder is None:
            return pictures
        return self.model.detail_decoder(pictures, np.asarray(sources), self.reconstruct(sources))


def read_picture(path, size):
    """A file's picture as uint8 [H, W, 3] of `size` (height, width)."""
    with Image.open(path) as picture:
        return fit(picture, size)
