"""Watching a flow's training: always the same held-out pairs, painted and measured."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from posed_recipe.evaluation.evaluate import contact_sheet, read_pairs, stacked
from posed_recipe.evaluation.metrics import scores
from posed_recipe.evaluation.synthesizer import Settings, Synthesizer
from posed_recipe.model_folder import ModelFolder
from posed_recipe.pose import PoseDrawer


class SheetWatcher:
    """Paints `sheets/step-….png` of the first pairs of a held-out set, and tells how good they are."""

    def __init__(self, folder, autoencoder, data, size, encoders=None, count=16, settings=None,
                 drawer=None):
        self.folder = Path(folder) / "sheets"
        self.autoencoder, self.encoders = autoencoder, encoders
        self.drawer = drawer or PoseDrawer()
        self.settings = settings or Settings(solver="euler", nfe=8, precision="bf16")
        self.pairs = list(read_pairs(data, size, count))

    def __call__(self, flow, journal, step):
        synthesizer = Synthesizer(self.model(flow))
        sources, targets, keypoints = stacked(self.pairs)
        outputs = synthesizer.synthesize(sources, keypoints, self.settings)
        found = [scores(o, pair.target, pair.mask) for o, pair in zip(outputs, self.pairs, strict=True)]
        means = {name: float(np.mean([row[name] for row in found])) for name in ("ssim", "psnr")}
        if all(math.isfinite(value) for value in means.values()):
            journal.say(f"step {step}: {len(found)} held-out pairs, SSIM {means['ssim']:.4f}, "
                        f"PSNR {means['psnr']:.2f} dB at NFE {self.settings.nfe}")
            journal.record(step, {f"heldout_{name}": value for name, value in means.items()})
        sheet = contact_sheet(zip(sources, keypoints, outputs, targets, strict=True), self.drawer)
        self.folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(sheet).save(self.folder / f"step-{step:07}.png")
        journal.picture("sheet", sheet, step)

    def model(self, flow):
        """The parts as a model."""
        parts = (None, None)
        if flow.encoder is not None:
            parts = (flow.encoder, flow.preprocessor)
        elif self.encoders:
            parts = (*self.encoders[0], *self.encoders[-1])
        return ModelFolder(self.autoencoder, flow.transformer, *parts, pose_drawer=self.drawer)
