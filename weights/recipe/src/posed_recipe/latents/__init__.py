"""What is computed of a data set before the flow is trained, and kept on disk."""

from posed_recipe.latents.precompute import PrecomputeOptions, precompute
from posed_recipe.latents.store import LatentStore

__all__ = ["LatentStore", "PrecomputeOptions", "precompute"]
