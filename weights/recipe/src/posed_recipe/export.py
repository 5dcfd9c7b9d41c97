"""Putting trained parts together into a model folder."""

import json
from pathlib import Path

from posed_recipe import published
from posed_recipe.encoder import Dinov2Model, Preprocessor
from posed_recipe.errors import RecipeError
from posed_recipe.latents.precompute import fingerprint
from posed_recipe.model_folder import ModelFolder, SamplerDefaults
from posed_recipe.pose import PoseDrawer
from posed_recipe.runs import read_flow


def assemble(vae, flow_run, source=None, pose=None, sampler=None, device="cpu", best=False, detail=None):
    """A `ModelFolder` of an autoencoder's folder and a flow's training.

    `source` and `pose` name the published encoders that the latents were precomputed with; a flow that
    trained its own encoder needs none. `best` takes the weights of the least validation loss;
    `detail` is the part that brings the source's details.
    """
    autoencoder = published.autoencoder(vae, device)
    flow, options = read_flow(flow_run, device, best)
    told = json.loads((Path(flow_run) / "flow.json").read_text())
    made_with = told["autoencoder"]
    if made_with != fingerprint(autoencoder):
        raise RecipeError(
            f"{flow_run} was trained on latents of another autoencoder ({made_with}) than {vae} "
            f"({fingerprint(autoencoder)})")
    parts = {"pose_encoder": None, "pose_preprocessor": None}
    if flow.encoder is not None:
        parts.update(source_encoder=flow.encoder, source_preprocessor=flow.preprocessor)
    elif not options.conditional_aggregation:  # a folder has an encoder even where nothing looks at it
        parts["source_encoder"] = Dinov2Model(options.encoder.config()).to(device)
        parts["source_preprocessor"] = Preprocessor.square(options.encoder.side)
    elif source is None:
        raise RecipeError(f"{flow_run} was trained with features of a published encoder; name it with --encoder")
    else:
        parts["source_encoder"], parts["source_preprocessor"] = published.encoder(source, device)
        if pose is not None:
            parts["pose_encoder"], parts["pose_preprocessor"] = published.encoder(pose, device)
    return ModelFolder(
        vae=autoencoder, transformer=flow.transformer, sampler=sampler or SamplerDefaults(),
        detail_decoder=detail, pose_drawer=PoseDrawer(**told.get("drawer", {})), **parts)
