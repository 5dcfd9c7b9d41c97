"""The learning rate: a linear warm-up, a plateau, a linear way down to zero.

The plateau makes a run extensible (a checkpoint from it can go on for as long as one likes), and the
way down gains what a cosine would at equal length (Hägele et al. 2024, "Scaling laws and compute-optimal
training beyond fixed training durations").
"""


def learning_rate_factor(step, progress, warmup_steps, decay):
    """Between 0 and 1; `decay` is the part of the progress that the way down takes."""
    factor = min(1.0, (step + 1) / max(1, warmup_steps))
    if decay > 0 and progress > 1 - decay:
        factor *= max(0.0, (1 - progress) / decay)
    return factor
