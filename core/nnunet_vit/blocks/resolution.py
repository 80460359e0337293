"""From the grid of patches to the image's resolution, wherever a patch is no power of two."""

import math

import torch
from torch import Tensor
from torch.nn import functional

Size = tuple[int, int]  # rows and columns


def doublings(patch_size: int) -> int:
    """Return how many doublings lead from the patch grid to the image's resolution or past it."""
    return max(1, math.ceil(math.log2(patch_size)))


def resized(features: Tensor, size: Size | torch.Size) -> Tensor:
    """Return features (B, C, h, w) at another size, bilinear between the middles of pixels.

    Halved, each place is the mean of its four.
    """
    if features.shape[-2:] == size:
        return features
    return functional.interpolate(features, size=size, mode="bilinear")
