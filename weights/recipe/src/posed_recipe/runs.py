"""A training's folder: what is written into it, and reading the result, finished or not.

| file | what |
| --- | --- |
| `flow.json` | sizes and options of a flow, so that it can be built again |
| `checkpoint.pt` | weights, averages, optimizer: what a training goes on from |
| `log.jsonl`, `tensorboard/` | how it went |
| `sheets/` | pictures that it painted on the way |
| `vae/` | the autoencoder's result, normalized, in float32 |
"""

import json
from pathlib import Path

from posed_recipe.errors import RecipeError
from posed_recipe.flow.trainer import FlowOptions, new_flow
from posed_recipe.latents.store import StoreShape
from posed_recipe.options import from_json, to_json
from posed_recipe.training.checkpoint import read_checkpoint
from posed_recipe.weights import write_json


def describe_flow(folder, options, shape):
    """Writes `flow.json`."""
    write_json(Path(folder) / "flow.json", {
        "options": to_json(options),
        "latent": list(shape.latent),
        "thumbnail": shape.thumbnail,
        "source_features": shape.source_features,
        "pose_features": shape.pose_features,
        "autoencoder": shape.autoencoder,
    })


def read_flow(folder, device="cpu"):
    """The flow of a training with its averaged weights, and its options; it may still be going on."""
    path = Path(folder) / "flow.json"
    if not path.exists():
        raise RecipeError(f"{folder}: a flow's training expected, but there is no flow.json")
    values = json.loads(path.read_text())
    options = from_json(FlowOptions, values["options"])
    pair = {name: tuple(values[name]) if values[name] else None for name in ("source_features", "pose_features")}
    shape = StoreShape(0, 1, 1, 1, tuple(values["latent"]), values["thumbnail"], pair["source_features"],
                       pair["pose_features"], values["autoencoder"])
    flow = new_flow(options, shape)
    state = read_checkpoint(folder, "cpu")
    if state is None:
        raise RecipeError(f"{folder}: a checkpoint expected, but there is none yet")
    flow.load_state_dict(state["ema"], strict=False)
    return flow.to(device).eval(), options
