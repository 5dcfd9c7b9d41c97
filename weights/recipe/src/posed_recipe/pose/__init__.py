"""The skeleton of 18 joints and its picture."""

from posed_recipe.pose.drawing import draw_poses
from posed_recipe.pose.skeleton import COLOURS, LIMBS, MIRRORED, mirror, present

__all__ = ["COLOURS", "LIMBS", "MIRRORED", "draw_poses", "mirror", "present"]
