"""A step's gradients on the latents of a folder, then a short training: alone, or as one of two processes."""

import sys
from pathlib import Path

import torch
from small import tiny_flow

from posed_recipe.flow.correspondence import CorrespondenceOptions
from posed_recipe.flow.trainer import FlowTask
from posed_recipe.latents import LatentStore
from posed_recipe.training import Budget, Processes, Trainer


def work(latents, out, processes):
    """Writes `gradients.pt` and a checkpoint."""
    options = tiny_flow(groups=8, correspondence=CorrespondenceOptions(weight=0.05))
    task = FlowTask(LatentStore(latents), options, processes)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in task.module.parameters():  # a new flow is still, and most of its gradients are nothing
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=random))
    trainer = Trainer(out, "flow", task, Budget(steps=2), options.training, processes)
    loss, _ = task.loss(trainer.model, 0, 0.0)
    loss.backward()
    if processes.leads:
        torch.save({name: p.grad for name, p in task.module.named_parameters()}, Path(out) / "gradients.pt")
    assert trainer.run()


if __name__ == "__main__":
    joined = Processes.join("cpu")
    work(sys.argv[1], sys.argv[2], joined)
    joined.leave()
