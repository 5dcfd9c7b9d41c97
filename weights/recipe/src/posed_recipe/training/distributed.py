"""Several processes on one or more machines, as torchrun starts them; or just one."""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist

from posed_recipe.errors import RecipeError


@dataclass(frozen=True)
class Processes:
    """This process among all."""

    device: torch.device
    rank: int = 0
    world: int = 1

    @classmethod
    def join(cls, device=None):
        """Reads torchrun's environment; `device` is cuda, cpu or a device by name (default: what there is)."""
        kind = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if kind.startswith("cuda") and not torch.cuda.is_available():
            raise RecipeError(f'device "{kind}" was asked for, but PyTorch finds no CUDA device')
        torch.backends.cudnn.benchmark = True  # pictures have one size, or two
        world = int(os.environ.get("WORLD_SIZE", "1"))
        if world == 1:
            return cls(torch.device(kind))
        if kind == "cuda":
            local = int(os.environ["LOCAL_RANK"])
            torch.cuda.set_device(local)
            kind = f"cuda:{local}"
        if not dist.is_initialized():
            dist.init_process_group("nccl" if kind.startswith("cuda") else "gloo")
        return cls(torch.device(kind), dist.get_rank(), world)

    @property
    def leads(self):
        """Whether this process writes files and speaks."""
        return self.rank == 0

    def share(self, count):
        """This process's slice of `count` rows, which must be a multiple of the processes."""
        if count % self.world:
            raise RecipeError(f"{count} rows cannot be shared evenly by {self.world} processes")
        each = count // self.world
        return slice(self.rank * each, (self.rank + 1) * each)

    def agree(self, *values):
        """The numbers of the leading process, the same for all."""
        if self.world == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.broadcast(tensor, 0)
        return tuple(tensor.tolist())

    def wait(self):
        """Until all processes are here."""
        if self.world > 1:
            dist.barrier()

    def wrap(self, module):
        """The module with gradients averaged over all processes."""
        if self.world == 1:
            return module
        return torch.nn.parallel.DistributedDataParallel(module)

    def leave(self):
        """Ends the group, where there is one."""
        if self.world > 1 and dist.is_initialized():
            dist.destroy_process_group()


def over_processes(values):
    """The sum of a tensor over all processes, where there are several; no gradient passes."""
    if dist.is_initialized() and dist.get_world_size() > 1:
        values = values.clone()
        dist.all_reduce(values)
    return values
