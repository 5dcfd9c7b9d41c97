"""Published parts, by a local folder or by their name on the Hugging Face hub."""

from pathlib import Path

from posed_recipe.autoencoder import AutoencoderKL
from posed_recipe.encoder import Dinov2Model, Preprocessor
from posed_recipe.errors import RecipeError


def folder_of(name, subfolder=None):
    """The folder `name`, or the downloaded snapshot of the hub's repository `name`."""
    local = Path(name)
    if not local.exists():
        if name.count("/") != 1 or name.startswith((".", "/")):
            raise RecipeError(f"{name}: a folder, or a name OWNER/MODEL on the hub, expected")
        try:
            from huggingface_hub import snapshot_download
        except ImportError as error:
            raise RecipeError(
                f"{name}: fetching from the hub needs `pip install posed-recipe[published]`") from error
        wanted = ["*.json", "*.safetensors", "*/*.json", "*/*.safetensors"]
        local = Path(snapshot_download(name, allow_patterns=wanted))
    if subfolder and (local / subfolder / "config.json").exists():
        local = local / subfolder
    if not (local / "config.json").exists():
        raise RecipeError(f"{local}: config.json expected, but there is none")
    return local


def autoencoder(name, device="cpu"):
    """An AutoencoderKL such as `stabilityai/sd-vae-ft-mse`, a part of a model folder, or one trained here."""
    return AutoencoderKL.from_pretrained(folder_of(str(name), "vae")).to(device).eval()


def encoder(name, device="cpu"):
    """A DINOv2 such as `facebook/dinov2-base` and its preprocessing."""
    folder = folder_of(str(name), "source_encoder")
    model = Dinov2Model.from_pretrained(folder).to(device).eval()
    return model.requires_grad_(False), Preprocessor.from_pretrained(folder)
