"""Measuring a model as `posekit eval` does."""

from posed_recipe.evaluation.evaluate import evaluate
from posed_recipe.evaluation.synthesizer import Settings, Synthesizer

__all__ = ["Settings", "Synthesizer", "evaluate"]
