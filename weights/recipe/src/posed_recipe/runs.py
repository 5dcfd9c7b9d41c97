"""A training's folder: what is written into it, and reading the result, finished or not.

| file | what |
| --- | --- |
| `flow.json` | sizes and options of a flow, so that it can be built again |
| `checkpoint.pt` | weights, averages, optimizer: what a training goes on from |
| `best.pt` | the averages of the least validation loss, where people were left out for it |
| `log.jsonl`, `tensorboard/` | how it went |
| `sheets/` | pictures that it painted on the way |
| `vae/` | the autoencoder's result, normalized, in float32 |
"""

import json
from pathlib import Path

from posed_recipe.encoder import Dinov2Model, Preprocessor
from posed_recipe.errors import RecipeError
from posed_recipe.flow.model import FlowModel
from posed_recipe.flow.trainer import EncoderOptions, FlowOptions, new_flow
from posed_recipe.latents.store import StoreShape
from posed_recipe.options import from_json, to_json
from posed_recipe.rpfm import RPFMTransformer2DModel
from posed_recipe.rpfm.transformer import widened
from posed_recipe.training.checkpoint import BEST, NAME, read_checkpoint
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
        "drawer": to_json(shape.drawer),
    })


def read_flow(folder, device="cpu", best=False):
    """The flow of a training with its averaged weights, the last or the best ones, and its options; it may still be
    going on."""
    path = Path(folder) / "flow.json"
    if not path.exists():
        raise RecipeError(f"{folder}: a flow's training expected, but there is no flow.json")
    values = json.loads(path.read_text())
    options = from_json(FlowOptions, values["options"])
    pair = {name: tuple(values[name]) if values[name] else None for name in ("source_features", "pose_features")}
    shape = StoreShape(0, 1, 1, 1, tuple(values["latent"]), values["thumbnail"], pair["source_features"],
                       pair["pose_features"], values["autoencoder"])
    flow = new_flow(options, shape)
    name = BEST if best else NAME
    state = read_checkpoint(folder, "cpu", name)
    if state is None:
        raise RecipeError(f"{folder}: {name} expected, but there is none yet")
    flow.load_state_dict(state["ema"], strict=False)
    return flow.to(device).eval(), options


def begun_flow(model, options, shape):
    """The flow of an exported model folder, to be trained on; `options` take over its sizes. For latents of more
    channels than it knows, it begins with those that it does not hear."""
    transformer = RPFMTransformer2DModel.from_pretrained(Path(model) / "transformer")
    if transformer.config.in_channels < shape.latent[0]:
        transformer = widened(transformer, shape.latent[0])
    config = transformer.config
    if (config.in_channels, *config.latent_size) != tuple(shape.latent):
        raise RecipeError(
            f"{model}: a transformer for latents of {tuple(shape.latent)} expected, but it is for "
            f"{(config.in_channels, *config.latent_size)}")
    for name in ("patch_size", "hidden_size", "depth", "num_heads", "mlp_ratio", "reference_attention",
                 "input_concatenation", "conditional_aggregation"):
        setattr(options, name, getattr(config, name))
    if shape.source_features is not None or not config.conditional_aggregation:
        return FlowModel(transformer)
    encoder = Dinov2Model.from_pretrained(Path(model) / "source_encoder")
    preprocessor = Preprocessor.from_pretrained(Path(model) / "source_encoder")
    if preprocessor.height != shape.thumbnail:
        raise RecipeError(
            f"{model}: an encoder for pictures of {shape.thumbnail} pixels expected, but it takes "
            f"{preprocessor.height}")
    options.encoder = EncoderOptions(
        side=preprocessor.height, patch=encoder.config.patch_size, width=encoder.config.hidden_size,
        layers=encoder.config.num_hidden_layers, heads=encoder.config.num_attention_heads)
    return FlowModel(transformer, encoder, preprocessor)
