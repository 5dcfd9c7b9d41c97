"""The points of a person and their picture."""

from posed_recipe.pose.drawing import PoseDrawer, draw_poses
from posed_recipe.pose.skeleton import BODY, COLOURS, LIMBS, MIRRORED, POINTS, mirror, present

__all__ = ["BODY", "COLOURS", "LIMBS", "MIRRORED", "POINTS", "PoseDrawer", "draw_poses", "mirror", "present"]
