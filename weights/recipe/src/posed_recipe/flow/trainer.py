"""Training the flow on precomputed latents."""

from dataclasses import dataclass, field

import numpy as np
import torch

from posed_recipe.encoder import Dinov2Config, Dinov2Model, Preprocessor
from posed_recipe.encoder.dinov2 import Layer
from posed_recipe.encoder.dinov2 import initialise as initialise_encoder
from posed_recipe.errors import RecipeError
from posed_recipe.flow.batches import Batches
from posed_recipe.flow.correspondence import CorrespondenceOptions
from posed_recipe.flow.model import FlowModel
from posed_recipe.rpfm import RPFMTransformer2DModel, TransformerConfig
from posed_recipe.rpfm.layers import Block
from posed_recipe.rpfm.transformer import initialise
from posed_recipe.training.distributed import Processes
from posed_recipe.training.loop import TrainingOptions, autocast, compile_parts, generator


@dataclass
class EncoderOptions:
    """A small encoder that is trained jointly; the source's and the pose's are one."""

    side: int = 112
    patch: int = 14
    width: int = 128
    layers: int = 3
    heads: int = 2

    def config(self):
        """In the encoder's words."""
        return Dinov2Config(
            hidden_size=self.width, num_hidden_layers=self.layers, num_attention_heads=self.heads,
            image_size=self.side, patch_size=self.patch)


@dataclass
class FlowOptions:
    """Sizes and training of the flow."""

    patch_size: int = 2
    hidden_size: int = 256
    depth: int = 12
    num_heads: int = 4
    mlp_ratio: float = 4.0
    reference_attention: bool = True
    input_concatenation: bool = True
    conditional_aggregation: bool = True
    encoder: EncoderOptions = field(default_factory=EncoderOptions)
    groups: int = 128
    """Sources in a step, over all processes."""
    targets: int = 3
    """Targets of each source."""
    dropout: float = 0.1
    """Part of the rows that has no condition."""
    two_sources: float = 0.1
    """Part of the steps whose groups have two sources."""
    correspondence: CorrespondenceOptions = field(default_factory=CorrespondenceOptions)
    validation: float = 0.0
    """Part of the people that is left out of the training: the loss on them is told at every `watch`, and the averaged
    weights that were best at it are kept."""
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(
        learning_rate=8e-4, weight_decay=0.01, decay=0.4, warmup_steps=300))

    def empty(self, world):
        """Rows without condition in a step, so many that they are `dropout` of all."""
        return rows_without(self.groups * self.targets, self.dropout, world)

    def has_two_sources(self, step):
        """Whether a step's groups have two sources."""
        return int((step + 1) * self.two_sources) > int(step * self.two_sources)

    def targets_seen(self, steps):
        """Rows with condition in the first steps; a second source takes a target's place, where there is more than one."""
        fewer = int(steps * self.two_sources) if self.targets > 1 else 0
        return self.groups * (steps * self.targets - fewer)


def paper_options():
    """The paper's model on published parts: size B, no reference attention, pairs as they are. The paper tells neither
    batch nor learning rate: they are DiT's and SiT's (256 rows, AdamW at 1e-4)."""
    return FlowOptions(
        hidden_size=768, depth=12, num_heads=12, reference_attention=False, groups=256, targets=1, two_sources=0.0,
        validation=0.02, training=TrainingOptions(
            learning_rate=1e-4, weight_decay=0.0, beta2=0.999, warmup_steps=1000, decay=0.1, compile=True,
            save_minutes=10.0, watch_minutes=30.0))


FLOWS = {"default": FlowOptions, "paper": paper_options}


def rows_without(rows, dropout, world):
    """How many rows without condition go with `rows` that have one, so that they are `dropout` of all; each of the
    processes has at least one, where there are any."""
    return world * max(1, round(rows * dropout / (1 - dropout) / world)) if dropout > 0 else 0


def new_flow(options, shape):
    """A flow to be trained on a store of that shape."""
    joint = shape.source_features is None and options.conditional_aggregation
    if joint and shape.thumbnail is None:
        raise RecipeError("the latents have neither thumbnails nor features, which conditional aggregation needs")
    dims = (options.encoder.width,) * 2 if shape.source_features is None else (
        shape.source_features[1], shape.pose_features[1])
    height, width = shape.latent[1:]
    config = TransformerConfig(
        sample_size=height if height == width else (height, width), patch_size=options.patch_size,
        in_channels=shape.latent[0], hidden_size=options.hidden_size, depth=options.depth, num_heads=options.num_heads,
        mlp_ratio=options.mlp_ratio, source_encoder_dim=dims[0], pose_encoder_dim=dims[1],
        reference_attention=options.reference_attention, input_concatenation=options.input_concatenation,
        conditional_aggregation=options.conditional_aggregation)
    torch.manual_seed(options.training.seed)
    transformer = initialise(RPFMTransformer2DModel(config))
    if not joint:
        return FlowModel(transformer)
    encoder = initialise_encoder(Dinov2Model(options.encoder.config()))
    return FlowModel(transformer, encoder, Preprocessor.square(options.encoder.side))


class FlowTask:
    """What a `Trainer` runs. `watcher(flow, journal, step)` may look at the averaged weights."""

    def __init__(self, store, options, processes, flow=None, watcher=None):
        self.options, self.processes, self.watcher, self.store = options, processes, watcher, store
        self.module = (flow or new_flow(options, store.shape)).to(processes.device).train()
        apart = left_out(store, options.validation)
        self.batches = Batches(
            store, options.groups, options.targets, options.empty(processes.world), processes,
            self.telling(options.correspondence), None if apart is None else ~apart)
        alone = Processes(processes.device)
        groups = min(options.groups, 64)
        self.validation = None if apart is None else Batches(
            store, groups, options.targets, rows_without(groups * options.targets, options.dropout, 1), alone,
            self.telling(options.correspondence), apart)
        if options.training.compile:
            compile_parts(self.module, (Block, Layer))

    def telling(self, correspondence, tokens=None):
        """What `Batches` needs to tell attention where to look, or to compute but so many tokens of each target; None
        where neither is asked for."""
        told = correspondence.weight > 0
        if not told and tokens is None:
            return None
        config = self.module.transformer.config
        if told and not config.reference_attention:
            raise RecipeError("correspondence.weight is for reference attention, which this flow has not")
        if self.store.shape.surface is None:
            raise RecipeError(
                f"{self.store.folder}: latents with places on the person expected, for correspondence.weight and tokens; "
                "they come with synthetic sets of format 2")
        grid = tuple(side // config.patch_size for side in config.latent_size)
        return grid, tokens, correspondence if told else None

    def loss(self, model, step, progress):
        """Loss of one step."""
        random = generator(self.processes.device, self.options.training.seed, step)
        rows = self.batches.conditional(random, self.options.has_two_sources(step))
        empty = self.batches.without(random)
        with autocast(self.processes.device, self.options.training.precision):
            return model(rows, empty)

    def watch(self, journal, step):
        """Lets the watcher look; gives the loss on the people left out, or None where there are none."""
        self.module.eval()
        loss = self.validate()
        if loss is not None:
            journal.record(step, {"validation": loss})
        if self.watcher is not None:
            self.watcher(self.module, journal, step)
        self.module.train()
        return loss

    @torch.no_grad()
    def validate(self):
        """The mean loss of the same batches of the people left out, with the same noise and times, each time."""
        if self.validation is None:
            return None
        losses = []
        for number in range(VALIDATION_BATCHES):
            random = generator(self.processes.device, self.options.training.seed, number, stream=2)
            rows, empty = self.validation.conditional(random), self.validation.without(random)
            with autocast(self.processes.device, self.options.training.precision):
                losses.append(self.module(rows, empty)[0].item())
        return sum(losses) / len(losses)


VALIDATION_BATCHES = 8


def left_out(store, part):
    """Which pictures [n] are left out of the training, so that about `part` of the people are; None for none.

    It depends on nothing but the latents, so every training leaves out the same people."""
    if part <= 0:
        return None
    people = store.people()
    order = np.random.default_rng(0).permutation(np.unique(people))
    apart = np.isin(people, order[:max(1, round(len(order) * part))])
    sources = store.sources().cpu().numpy()
    if apart[sources].all() or not apart[sources].any():
        raise RecipeError(
            f"{store.folder}: validation={part} of {len(order)} people leaves no pairs to train on, or none to validate")
    return torch.from_numpy(apart)
