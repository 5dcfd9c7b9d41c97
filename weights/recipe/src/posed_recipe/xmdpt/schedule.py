"""X-MDPT's diffusion, as it was trained and as a flow.

The diffusion's states are x = sqrt(abar) data + sqrt(1 - abar) noise; sigma = sqrt((1 - abar) / abar). As a flow
z = tau data + (1 - tau) noise with tau = 1 / (1 + sigma), so x = z / r with r = sqrt(tau^2 + (1 - tau)^2), and the
velocity is (z - eps) / tau. Euler's steps in tau are DDIM's.
"""

import math

import numpy as np
import torch


class Schedule:
    """Linear betas in float64."""

    def __init__(self, beta_start=1e-4, beta_end=2e-2, steps=1000):
        self.alphas = np.cumprod(1 - np.linspace(beta_start, beta_end, steps, dtype=np.float64))
        self.sigmas = np.sqrt((1 - self.alphas) / self.alphas)

    @property
    def start(self):
        """The flow's time of the last step, which is almost noise."""
        return self.tau(len(self.sigmas) - 1)

    def tau(self, step):
        """The flow's time of a whole step."""
        return 1 / (1 + float(self.sigmas[step]))

    def step(self, tau):
        """The step, with fractions, of a time of the flow: linear in ln sigma, held at the ends."""
        sigma = (1 - tau) / tau
        if sigma <= self.sigmas[0]:
            return 0.0
        return float(np.interp(math.log(sigma), np.log(self.sigmas), np.arange(len(self.sigmas))))

    def kept(self, count):
        """The steps that DDIM keeps of all, from the first."""
        last, at, stride = len(self.sigmas) - 1, 0.0, (len(self.sigmas) - 1) / (count - 1)
        steps = []
        for _ in range(count):
            steps.append(min(round(at), last))
            at += stride
        return steps

    def grid(self, count):
        """The flow's times of the steps that DDIM keeps, from noise, and 1: Euler on them is DDIM."""
        return [self.tau(step) for step in reversed(self.kept(count))] + [1.0]

    def uniform(self, count):
        """Equal steps in the flow's time."""
        return [self.start + (1 - self.start) * i / count for i in range(count)] + [1.0]


def guided_noise(model, x, step, cond, guidance):
    """eps of the network, of guidance's two branches where it is not 1."""
    steps = torch.full((len(x),), step, dtype=torch.float64, device=x.device)
    conditioned = model(x, steps, cond)
    if guidance == 1:
        return conditioned
    empty = model(x, steps, torch.zeros_like(cond))
    return empty + guidance * (conditioned - empty)


def ddim(model, noise, cond, count=50, guidance=2.0, schedule=None):
    """The sampler of the reference: deterministic DDIM over `count` kept steps. Gives the latent."""
    schedule = schedule or Schedule()
    x, steps = noise, schedule.kept(count)
    for index in reversed(range(count)):
        alpha = schedule.alphas[steps[index]]
        before = schedule.alphas[steps[index - 1]] if index else 1.0
        eps = guided_noise(model, x, float(steps[index]), cond, guidance)
        data = (x - math.sqrt(1 - alpha) * eps) / math.sqrt(alpha)
        x = math.sqrt(before) * data + math.sqrt(1 - before) * eps
    return x


def velocity(model, z, tau, cond, guidance, schedule):
    """dz/dtau of the flow."""
    r = math.hypot(tau, 1 - tau)
    return (z - guided_noise(model, z / r, schedule.step(tau), cond, guidance)) / tau


STAGES = {  # nodes, coefficients of each stage, weights
    "euler": ([0.0], [[]], [1.0]),
    "midpoint": ([0.0, 0.5], [[], [0.5]], [0.0, 1.0]),
    "heun": ([0.0, 1.0], [[], [1.0]], [0.5, 0.5]),
    "rk4": ([0.0, 0.5, 0.5, 1.0], [[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
}


def solve(model, noise, cond, grid, solver="euler", guidance=2.0, schedule=None):
    """Integrates the flow from noise of deviation 1 along a grid of times. Gives the latent."""
    schedule = schedule or Schedule()
    nodes, rows, weights = STAGES[solver]
    z = noise * math.hypot(grid[0], 1 - grid[0])
    for begin, end in zip(grid, grid[1:]):
        length, slopes = end - begin, []
        for node, row in zip(nodes, rows):
            state = z + length * sum((a * slope for a, slope in zip(row, slopes)), torch.zeros_like(z))
            time = end if node == 1 else begin + node * length
            slopes.append(velocity(model, state, time, cond, guidance, schedule))
        z = z + length * sum(b * slope for b, slope in zip(weights, slopes))
    return z
