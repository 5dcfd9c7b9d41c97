"""RPFM in PyTorch: a readable reference of the model, and the recipe that trains it.

| package | what it says |
| --- | --- |
| `rpfm` | the model of the specification: transformer, solvers, noise |
| `autoencoder`, `encoder` | the parts around it, in the layouts of diffusers and transformers |
| `pose` | the skeleton and its picture |
| `people` | synthetic clothed people |
| `data`, `latents` | pictures and their pairs; what is computed of them before the flow is trained |
| `flow` | training the velocity, and making it good in few steps |
| `training` | what all trainers share: budgets, checkpoints, averages, several processes |
| `evaluation` | the measures of `posekit eval` |
| `default_model` | everything in a row, within a budget of time |
"""

__version__ = "0.1.0"
