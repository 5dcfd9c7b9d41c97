"""What all trainers share: budgets, schedules, averages, checkpoints, several processes, journals."""

from posed_recipe.training.budget import Budget, Deadline
from posed_recipe.training.distributed import Processes
from posed_recipe.training.ema import PowerEMA
from posed_recipe.training.loop import Trainer, TrainingOptions

__all__ = ["Budget", "Deadline", "PowerEMA", "Processes", "Trainer", "TrainingOptions"]
