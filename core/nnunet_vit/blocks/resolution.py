"""From the grid of patches to the image's resolution, wherever a patch is no power of two."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from nnunet_vit.config.patch_multiples import Size

__all__ = ["Size", "doublings", "resized", "upsamplings"]

_INTERPOLATIONS = {3: "linear", 4: "bilinear", 5: "trilinear"}  # by the axes of (B, C, ...)


def upsamplings(patch_size: int) -> int:
    """Return how many upsamplings by 2 lead from the patch grid to the image's, or past it."""
    return max(1, math.ceil(math.log2(patch_size)))


doublings = upsamplings  # the former name, kept for heads written for version 0.1


def resized(features: Tensor, size: Size | torch.Size) -> Tensor:
    """Return features (B, C, h, w) at another size, linear between the middles of pixels.

    Halved, each place is the mean of its four. Volumes (B, C, d, h, w) have sizes of three edges.
    """
    if features.shape[2:] == size:
        return features
    return functional.interpolate(features, size=size, mode=_INTERPOLATIONS[features.ndim])
