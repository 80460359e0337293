"""The former path of nnunet_vit.blocks.pyramid, kept for heads written for version 0.1."""

from nnunet_vit.blocks.pyramid import (
    CHANNELS_OF_EIGHT_GROUPS,
    LEVELS,
    NARROWEST,
    Pyramid,
    cell_shares,
    doubling,
    grid_means,
    halved,
    normalization,
)

__all__ = [
    "CHANNELS_OF_EIGHT_GROUPS",
    "LEVELS",
    "NARROWEST",
    "Pyramid",
    "cell_shares",
    "doubling",
    "grid_means",
    "halved",
    "normalization",
]
