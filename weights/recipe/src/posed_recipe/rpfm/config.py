"""The transformer's configuration, key for key what `transformer/config.json` holds."""

from dataclasses import asdict, dataclass, fields

from posed_recipe.errors import RecipeError

CLASS_NAME = "RPFMTransformer2DModel"

PRESETS = {
    "T": dict(hidden_size=256, depth=12, num_heads=4),
    "S": dict(hidden_size=384, depth=12, num_heads=6),
    "B": dict(hidden_size=768, depth=12, num_heads=12),
    "L": dict(hidden_size=1024, depth=24, num_heads=16),
}


@dataclass(frozen=True)
class TransformerConfig:
    """Sizes and switches of the transformer; what is not given is the specification's default."""

    sample_size: int | tuple[int, int] = 32
    """Side of the latent, or (height, width)."""
    patch_size: int = 2
    in_channels: int = 4
    hidden_size: int = 384
    depth: int = 12
    num_heads: int = 6
    mlp_ratio: float = 4.0
    """Of the blocks; conditional aggregation always has 4."""
    source_encoder_dim: int = 768
    pose_encoder_dim: int = 768
    reference_attention: bool = False
    input_concatenation: bool = True
    conditional_aggregation: bool = True
    scale_positions: bool = True
    """Whether the positions of another size are scaled to the range of `sample_size`'s."""

    def __post_init__(self):
        if isinstance(self.sample_size, list):
            object.__setattr__(self, "sample_size", tuple(self.sample_size))
        for side in self.latent_size:
            if side % self.patch_size:
                raise RecipeError(
                    f"sample_size {self.sample_size} is no multiple of patch_size {self.patch_size}")
        if self.hidden_size % self.num_heads or self.hidden_size % 4:
            raise RecipeError(
                f"hidden_size {self.hidden_size} must be a multiple of 4 and of num_heads {self.num_heads}")

    @classmethod
    def from_dict(cls, values):
        """Reads the keys of a `config.json`; notes, which start with `_`, are left alone."""
        given = {key: value for key, value in values.items() if not key.startswith("_")}
        unknown = sorted(set(given) - {field.name for field in fields(cls)})
        if unknown:
            raise RecipeError(f"unknown keys in the transformer's configuration: {', '.join(unknown)}")
        name = values.get("_class_name", CLASS_NAME)
        if name != CLASS_NAME:
            raise RecipeError(f'the transformer\'s "_class_name" must be {CLASS_NAME}, but it is "{name}"')
        return cls(**given)

    def to_dict(self):
        """The contents of `config.json`."""
        values = asdict(self)
        if isinstance(values["sample_size"], tuple):
            values["sample_size"] = list(values["sample_size"])
        return {"_class_name": CLASS_NAME, **values}

    @property
    def latent_size(self):
        """(h, w)"""
        size = self.sample_size
        return tuple(size) if isinstance(size, tuple | list) else (size, size)

    @property
    def patch_features(self):
        """Features of one patch, C*p*p."""
        return self.in_channels * self.patch_size**2
