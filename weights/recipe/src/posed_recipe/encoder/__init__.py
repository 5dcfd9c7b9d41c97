"""The image encoder: DINOv2's architecture, and the preprocessing that it asks for."""

from posed_recipe.encoder.dinov2 import Dinov2Config, Dinov2Model
from posed_recipe.encoder.preprocessing import Preprocessor

__all__ = ["Dinov2Config", "Dinov2Model", "Preprocessor"]
