"""RPFM, the model: a reading of its specification, line by line.

Letters in shapes: B batch, C latent channels, h x w latent size, p patch size, N tokens of a latent,
T tokens of any stream, D width, F features of an encoder, S sources.
"""

from posed_recipe.rpfm.config import PRESETS, TransformerConfig
from posed_recipe.rpfm.noise import noise
from posed_recipe.rpfm.sampling import (
    TABLEAUS,
    evaluations_of,
    integrate,
    solve,
    steps_of_budget,
    time_grid,
)
from posed_recipe.rpfm.transformer import RPFMTransformer2DModel

__all__ = [
    "PRESETS", "TABLEAUS", "RPFMTransformer2DModel", "TransformerConfig", "integrate", "noise", "solve",
    "evaluations_of", "steps_of_budget", "time_grid",
]
