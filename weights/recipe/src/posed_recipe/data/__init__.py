"""Pictures of people with their poses, and which of them make pairs."""

from posed_recipe.data.pictures import PictureSet, read_pictures

__all__ = ["PictureSet", "read_pictures"]
