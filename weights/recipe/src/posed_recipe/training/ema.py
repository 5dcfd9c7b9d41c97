"""The average of the weights, which is what is exported."""

import torch


class PowerEMA:
    """An exponential average whose memory grows with the training (Karras et al. 2024, EDM2).

    At step t the old average keeps (1 - 1/(t + 1))^(gamma + 1): the average always spans the same part of the
    training so far, so that it need not be tuned to the length of a run. gamma 16.97 spans about 5 %.
    """

    def __init__(self, module, gamma=16.97):
        self.gamma = gamma
        self.averages = {name: p.detach().clone().float() for name, p in module.named_parameters()}

    def keep(self, step):
        """How much of the old average stays at step 0, 1, …"""
        return (1 - 1 / (step + 1)) ** (self.gamma + 1)

    @torch.no_grad()
    def update(self, module, step):
        """Takes in the weights after a step."""
        averages = list(self.averages.values())
        weights = [p.detach().float() for _, p in module.named_parameters()]
        torch._foreach_lerp_(averages, weights, 1 - self.keep(step))

    @torch.no_grad()
    def copy_to(self, module):
        """Puts the averages in a module of the same shape."""
        for name, parameter in module.named_parameters():
            parameter.copy_(self.averages[name])
        return module

    def state_dict(self):
        """For a checkpoint."""
        return self.averages

    def load_state_dict(self, state):
        """From a checkpoint."""
        for name, average in self.averages.items():
            average.copy_(state[name])
