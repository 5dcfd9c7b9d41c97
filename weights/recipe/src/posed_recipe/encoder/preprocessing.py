"""What an encoder's `preprocessor_config.json` asks for, to the letter.

Pillow's resampling is the one that the specification names. `pixel_values` follows it for one picture;
training resizes on the device in `thumbnails`, which differs by a grey level or two of 255 at hard edges.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from posed_recipe.errors import RecipeError
from posed_recipe.weights import write_json

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessor:
    """Resize, crop, rescale, normalize."""

    height: int | None = None
    width: int | None = None
    shortest_edge: int | None = None
    crop: tuple[int, int] | None = None
    resample: int = 3
    rescale: float = 1 / 255
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD

    @classmethod
    def square(cls, side):
        """The one of the encoders trained here: the whole picture, side x side."""
        return cls(height=side, width=side)

    @classmethod
    def from_pretrained(cls, folder):
        """Reads `preprocessor_config.json`."""
        path = Path(folder) / "preprocessor_config.json"
        values = json.loads(path.read_text())
        size = values.get("size", {}) if values.get("do_resize", True) else {}
        size = {"shortest_edge": size} if isinstance(size, int) else size
        crop = values.get("crop_size") if values.get("do_center_crop", False) else None
        crop = {"height": crop, "width": crop} if isinstance(crop, int) else crop
        normal = values.get("do_normalize", True)
        resample = values.get("resample", 3)
        if resample not in (2, 3):
            raise RecipeError(f'{path}: "resample" must be 2 or 3, but it is {resample}')
        return cls(
            height=size.get("height"), width=size.get("width"), shortest_edge=size.get("shortest_edge"),
            crop=(crop["height"], crop["width"]) if crop else None,
            resample=resample,
            rescale=values.get("rescale_factor", 1 / 255) if values.get("do_rescale", True) else 1.0,
            mean=tuple(values.get("image_mean", MEAN)) if normal else (0.0,) * 3,
            std=tuple(values.get("image_std", STD)) if normal else (1.0,) * 3)

    def save_pretrained(self, folder):
        """Writes `preprocessor_config.json` as transformers' BitImageProcessor reads it."""
        resizes = self.height is not None or self.shortest_edge is not None
        size = {"height": self.height, "width": self.width}
        write_json(Path(folder) / "preprocessor_config.json", {
            "image_processor_type": "BitImageProcessor",
            "do_convert_rgb": True,
            "do_resize": resizes,
            "size": size if self.shortest_edge is None else {"shortest_edge": self.shortest_edge},
            "resample": self.resample,
            "do_center_crop": self.crop is not None,
            **({"crop_size": dict(zip(("height", "width"), self.crop, strict=True))} if self.crop else {}),
            "do_rescale": True, "rescale_factor": self.rescale,
            "do_normalize": True, "image_mean": list(self.mean), "image_std": list(self.std),
        })

    def resized(self, height, width):
        """Size of a picture after resizing."""
        if self.shortest_edge is not None:
            short, long = min(height, width), max(height, width)
            other = int(self.shortest_edge * long / short)
            return (self.shortest_edge, other) if height <= width else (other, self.shortest_edge)
        return (self.height or height, self.width or width)

    def window(self, height, width):
        """(top, left, height, width) of the central crop of a resized picture."""
        if self.crop is None:
            return 0, 0, height, width
        if self.crop[0] > height or self.crop[1] > width:
            raise RecipeError(f"a crop of {self.crop} does not fit into a picture of {height} x {width}")
        return (height - self.crop[0]) // 2, (width - self.crop[1]) // 2, *self.crop

    def shrink(self, picture):
        """A PIL picture, resized and cropped: uint8 [H, W, 3]."""
        height, width = self.resized(picture.height, picture.width)
        if (height, width) != (picture.height, picture.width):
            picture = picture.resize((width, height), Image.Resampling(self.resample))
        top, left, height, width = self.window(height, width)
        return np.asarray(picture.convert("RGB"))[top:top + height, left:left + width]

    def thumbnails(self, pictures):
        """uint8 pictures [B, 3, H, W] of any device, resized and cropped, still uint8."""
        height, width = self.resized(*pictures.shape[-2:])
        if (height, width) != tuple(pictures.shape[-2:]):
            mode = "bicubic" if self.resample == 3 else "bilinear"
            for size in ((pictures.shape[-2], width), (height, width)):  # Pillow, too, rounds in between
                pictures = F.interpolate(
                    pictures.float(), size=size, mode=mode, antialias=True, align_corners=False)
                pictures = pictures.round().clamp(0, 255).to(torch.uint8)
        top, left, height, width = self.window(height, width)
        return pictures[..., top:top + height, left:left + width]

    def normalize(self, thumbnails):
        """uint8 [..., 3, H, W] -> what the encoder takes."""
        mean, std = (by_channel(tuple(values), thumbnails.device) for values in (self.mean, self.std))
        return (thumbnails.float() * self.rescale - mean) / std

    def pixel_values(self, picture):
        """A PIL picture -> [1, 3, H, W]."""
        small = torch.from_numpy(self.shrink(picture).copy()).permute(2, 0, 1)[None]
        return self.normalize(small)


@lru_cache
def by_channel(values, device):
    """[3, 1, 1], made once: a copy from the host would hold a step up until the device has done all before it."""
    return torch.tensor(values, device=device)[:, None, None]
