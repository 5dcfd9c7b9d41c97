"""X-MDPT: its transformer restated in PyTorch, and the way of a published checkpoint into a model folder."""

from posed_recipe.xmdpt.convert import convert
from posed_recipe.xmdpt.model import XMDPTConfig, XMDPTTransformer2DModel
from posed_recipe.xmdpt.schedule import Schedule, ddim, solve

__all__ = ["Schedule", "XMDPTConfig", "XMDPTTransformer2DModel", "convert", "ddim", "solve"]
