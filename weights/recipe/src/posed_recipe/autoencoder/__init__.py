"""The autoencoder between pictures and latents, and its trainer."""

from posed_recipe.autoencoder.model import AutoencoderConfig, AutoencoderKL

__all__ = ["AutoencoderConfig", "AutoencoderKL"]
