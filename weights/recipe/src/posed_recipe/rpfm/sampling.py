"""Integrating dz/dt = v from noise at t = 0 to data at t = 1."""

import numpy as np
import torch

from posed_recipe.errors import RecipeError

# Explicit Runge-Kutta methods: rows of A, b, c.
TABLEAUS = {
    "euler": ([[]], [1.0], [0.0]),
    "heun": ([[], [1.0]], [0.5, 0.5], [0.0, 1.0]),
    "midpoint": ([[], [0.5]], [0.0, 1.0], [0.0, 0.5]),
    "rk4": (
        [[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]],
        [1 / 6, 1 / 3, 1 / 3, 1 / 6],
        [0.0, 0.5, 0.5, 1.0],
    ),
}


def steps_of_budget(solver, nfe, last_step_first_order=True):
    """Steps that `nfe` velocity evaluations allow; an error where there is no room for one."""
    nodes = tableau(solver)[2]
    last = 1 if last_step_first_order and 1.0 in nodes else len(nodes)
    if nfe < last:
        raise RecipeError(f"a step of {solver} makes {last} evaluations (NFE), but {nfe} are allowed")
    return 1 + (nfe - last) // len(nodes)


def evaluations_of(solver, steps, last_step_first_order=True):
    """Velocity evaluations of so many steps."""
    nodes = tableau(solver)[2]
    return (steps - 1) * len(nodes) + (1 if last_step_first_order and 1.0 in nodes else len(nodes))


def tableau(solver):
    """The method of that name."""
    if solver not in TABLEAUS:
        raise RecipeError(f'the solver must be one of {", ".join(TABLEAUS)}, but it is "{solver}"')
    return TABLEAUS[solver]


def time_grid(steps, time_shift=1.0):
    """steps + 1 points from 0 to 1."""
    t = np.arange(steps + 1, dtype=np.float64) / steps
    return t if time_shift == 1.0 else time_shift * t / (1 + (time_shift - 1) * t)


def integrate(velocity, z, solver="heun", steps=8, time_shift=1.0, last_step_first_order=True):
    """Integrates `velocity(z, t)` from 0 to 1; t is given as a Python float. The last step of a method that evaluates
    at a step's end is Euler's, unless told otherwise: a trained velocity is worst at t = 1."""
    a, b, c = tableau(solver)
    grid = time_grid(steps, time_shift)
    for number, (start, end) in enumerate(zip(grid[:-1], grid[1:], strict=True)):
        if last_step_first_order and number + 1 == steps and 1.0 in c:
            a, b, c = tableau("euler")
        dt = float(end - start)
        slopes = []
        for row, node in zip(a, c, strict=True):
            at = z + dt * weighted(row, slopes) if row else z
            slopes.append(velocity(at, float(start + node * dt)))
        z = z + dt * weighted(b, slopes)
    return z


def weighted(weights, slopes):
    """The sum of the slopes, each with its weight."""
    return sum(weight * slope for weight, slope in zip(weights, slopes, strict=False))


def solve(model, z0, z_s, z_p, cond, solver="heun", steps=8, guidance=1.1, time_shift=1.0,
          last_step_first_order=True, cached=None):
    """From noise z0 [B, C, h, w] to latents. `cached` is what `model.reference(z_s)` gave, if known."""
    if cached is None:
        cached = model.reference(z_s)

    def velocity(z, t):
        time = torch.full((z.shape[0],), t, dtype=torch.float32, device=z.device)
        return model.guided(z, time, z_s, z_p, cond, cached, guidance)

    return integrate(velocity, z0, solver, steps, time_shift, last_step_first_order)
