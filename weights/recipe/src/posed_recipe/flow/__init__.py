"""Training the velocity, and making it good in few steps."""

from posed_recipe.flow.model import FlowModel
from posed_recipe.flow.trainer import FlowOptions, FlowTask

__all__ = ["FlowModel", "FlowOptions", "FlowTask"]
