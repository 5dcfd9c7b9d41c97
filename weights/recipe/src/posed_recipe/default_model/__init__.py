"""The default model, from nothing to a measured model folder, within a budget of time."""

from posed_recipe.default_model.profiles import PROFILES, DefaultPlan
from posed_recipe.default_model.stages import train_default

__all__ = ["PROFILES", "DefaultPlan", "train_default"]
