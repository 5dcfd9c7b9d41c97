"""A model folder: the parts as `posekit` loads them."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch

from posed_recipe.autoencoder import AutoencoderKL
from posed_recipe.detail import SourceBlend
from posed_recipe.encoder import Dinov2Model, Preprocessor
from posed_recipe.errors import RecipeError
from posed_recipe.pose import PoseDrawer
from posed_recipe.rpfm import RPFMTransformer2DModel
from posed_recipe.weights import write_json

FORMAT = 1
DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}


@dataclass
class SamplerDefaults:
    """What a request gets that does not say otherwise."""

    solver: str = "heun"
    steps: int = 8
    guidance_scale: float = 1.1
    time_shift: float = 1.0
    last_step_first_order: bool = True
    seed: str | int = "random"


@dataclass
class ModelFolder:
    """All parts of a model, in memory."""

    vae: AutoencoderKL
    transformer: RPFMTransformer2DModel
    source_encoder: Dinov2Model
    source_preprocessor: Preprocessor
    pose_encoder: Dinov2Model | None = None
    pose_preprocessor: Preprocessor | None = None
    sampler: SamplerDefaults = field(default_factory=SamplerDefaults)
    detail_decoder: SourceBlend | None = None
    pose_drawer: PoseDrawer = field(default_factory=PoseDrawer)

    @classmethod
    def load(cls, folder, device="cpu"):
        """Reads a folder; everything is computed in float32."""
        folder = Path(folder)
        index = folder / "model_index.json"
        if not index.exists():
            raise RecipeError(f"{folder}: a model folder expected, but it has no model_index.json")
        version = json.loads(index.read_text()).get("format_version", 1)
        if version > FORMAT:
            raise RecipeError(f'{index}: "format_version" must be at most {FORMAT}, but it is {version}')
        sampler = folder / "sampler" / "config.json"
        values = json.loads(sampler.read_text()) if sampler.exists() else {}
        known = {key: value for key, value in values.items() if key in SamplerDefaults.__dataclass_fields__}
        pose = folder / "pose_encoder"
        shared = not pose.exists()
        return cls(
            AutoencoderKL.from_pretrained(folder / "vae").to(device),
            RPFMTransformer2DModel.from_pretrained(folder / "transformer").to(device),
            Dinov2Model.from_pretrained(folder / "source_encoder").to(device),
            Preprocessor.from_pretrained(folder / "source_encoder"),
            None if shared else Dinov2Model.from_pretrained(pose).to(device),
            None if shared else Preprocessor.from_pretrained(pose),
            SamplerDefaults(**known),
            SourceBlend.from_pretrained(folder / "detail_decoder"),
            PoseDrawer.from_pretrained(folder / "pose_drawer"))

    def save(self, folder, dtype="bf16", shard_bytes=None):
        """Writes the folder; weights in files of at most `shard_bytes` where it is given."""
        folder = Path(folder)
        kind = DTYPES[dtype]
        self.vae.save_pretrained(folder / "vae", kind, shard_bytes)
        self.transformer.save_pretrained(folder / "transformer", kind, shard_bytes)
        self.source_encoder.save_pretrained(folder / "source_encoder", kind, shard_bytes)
        self.source_preprocessor.save_pretrained(folder / "source_encoder")
        index = {
            "_class_name": "RPFMPipeline",
            "format_version": FORMAT,
            "vae": ["diffusers", "AutoencoderKL"],
            "source_encoder": ["transformers", self.source_encoder.config.class_name],
        }
        if self.pose_encoder is not None:
            self.pose_encoder.save_pretrained(folder / "pose_encoder", kind, shard_bytes)
            (self.pose_preprocessor or self.source_preprocessor).save_pretrained(folder / "pose_encoder")
            index["pose_encoder"] = ["transformers", self.pose_encoder.config.class_name]
        index["transformer"] = ["posed", "RPFMTransformer2DModel"]
        if self.pose_drawer != PoseDrawer():
            self.pose_drawer.save_pretrained(folder / "pose_drawer")
        if self.detail_decoder is not None:
            self.detail_decoder.save_pretrained(folder / "detail_decoder")
        write_json(folder / "model_index.json", index)
        write_json(folder / "sampler" / "config.json", dict(vars(self.sampler)))
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    @property
    def size(self):
        """(height, width) of the model's pictures."""
        h, w = self.transformer.config.latent_size
        return h * self.vae.config.downsampling, w * self.vae.config.downsampling
