"""The one error that the recipe raises for what a user can put right."""


class RecipeError(Exception):
    """One sentence: what was expected, what came, and where."""
