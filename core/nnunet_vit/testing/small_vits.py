"""Small versions of the backbones that a head is checked on."""

from dataclasses import dataclass, field

from nnunet_vit.files.json_file import JsonMapping

PREFIX = "nnunet_vit_tiny_"  # of their names in timm's registry


@dataclass(frozen=True)
class SmallViT:
    """One of timm's ViTs with few and narrow blocks.

    Attributes:
        timm_name: of the model in its full size.
        patch_size: pixels.
        depth: number of blocks.
    """

    timm_name: str
    patch_size: int
    depth: int

    @property
    def size(self) -> dict[str, int]:
        """What is smaller than in the full model."""
        return {"depth": self.depth, "embed_dim": 64, "num_heads": 4}


# together: each way in which timm builds blocks, patches 8, 14 and 16, depths down to 1
SMALL_VITS = {
    "dinov3": SmallViT("vit_small_patch16_dinov3", 16, 4),
    "dinov2": SmallViT("vit_small_patch14_reg4_dinov2", 14, 3),
    "mae": SmallViT("vit_base_patch8_224", 8, 6),
    "eva02": SmallViT("eva02_tiny_patch14_224", 14, 2),
    "siglip": SmallViT("vit_base_patch16_siglip_224", 16, 1),
}


@dataclass(frozen=True)
class Case:
    """A backbone and the head's options on it.

    Attributes:
        backbone: a key of SMALL_VITS.
        options: as in model.decoder; those left out have their defaults.
    """

    backbone: str
    options: JsonMapping = field(default_factory=dict)

    @property
    def vit(self) -> SmallViT:
        """The backbone."""
        return SMALL_VITS[self.backbone]

    def pixels(self, rows: int, columns: int) -> tuple[int, int]:
        """Return (H, W) in pixels of an image of so many patches."""
        return rows * self.vit.patch_size, columns * self.vit.patch_size

    def __str__(self) -> str:
        options = ", ".join(f"{name}: {value}" for name, value in self.options.items())
        return f"{self.backbone}, {options}" if options else self.backbone
