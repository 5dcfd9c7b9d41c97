"""What only a GPU can show; elsewhere these are skipped."""

import pytest
import torch
from small import tiny_autoencoder, tiny_flow

from posed_recipe.autoencoder.trainer import AutoencoderTask
from posed_recipe.data.bank import PictureBank
from posed_recipe.data.pictures import read_pictures
from posed_recipe.flow.correspondence import CorrespondenceOptions
from posed_recipe.flow.refine import RefineOptions, RefineTask
from posed_recipe.flow.trainer import FlowTask, new_flow
from posed_recipe.latents import LatentStore
from posed_recipe.training import Processes
from posed_recipe.training.graphs import Graphed, Recorder

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA device")


@pytest.mark.parametrize("kind", ["flow", "refine", "autoencoder"])
def test_a_recorded_step_has_the_gradients_of_a_plain_one(latents, people, tiny_vae, kind):
    gpu = Processes(torch.device("cuda"))
    store = LatentStore(latents.folder, gpu.device)
    bank = PictureBank.of(read_pictures(people, (64, 64)), gpu.device)
    options = tiny_flow(two_sources=0.5, correspondence=CorrespondenceOptions(weight=0.05))
    flow = new_flow(options, store.shape)
    vae = tiny_vae.to(gpu.device) if kind == "refine" else None
    task = {
        "flow": lambda: FlowTask(store, options, gpu, flow),
        "refine": lambda: RefineTask(store, bank, vae, flow, options, RefineOptions(groups=2), gpu),
        "autoencoder": lambda: AutoencoderTask(bank, tiny_autoencoder(), gpu),
    }[kind]()
    tiny_vae.cpu()
    graphed = Graphed(task.module)
    random = torch.Generator(gpu.device).manual_seed(0)
    for step in range(6):
        loss, _ = task.loss(graphed, step, 0.0)
        recorded = [p.grad.clone() if p.grad is not None else None for p in graphed.parameters]
        task.module.zero_grad(set_to_none=True)
        plain, _ = task.loss(task.module, step, 0.0)
        plain.backward()
        assert loss.item() == pytest.approx(plain.item(), rel=1e-3)
        assert [p.grad is None for p in graphed.parameters] == [gradient is None for gradient in recorded]
        known = torch.cat([p.grad.flatten() for p in graphed.parameters if p.grad is not None])
        found = torch.cat([gradient.flatten() for gradient in recorded if gradient is not None])
        assert (found - known).norm() <= 1e-2 * known.norm()
        with torch.no_grad():  # what a recording keeps of the weights would be stale now
            for parameter in graphed.parameters:
                parameter.add_(0.02 * torch.randn(parameter.shape, generator=random, device=gpu.device))
    assert Recorder.works
