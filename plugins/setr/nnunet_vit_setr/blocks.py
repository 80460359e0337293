"""What both decoders of SETR are made of."""

import math

from torch import Tensor, nn

from nnunet_vit.blocks.resolution import Size


def convolution(before: int, after: int, kernel_size: int) -> nn.Sequential:
    """Return a convolution, group normalization, which is right for any batch size, and ReLU."""
    groups = math.gcd(8, after // 4, after)  # of four channels or more: alone, a flat one is noise
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2, bias=False),
        nn.GroupNorm(groups, after),
        nn.ReLU(),
    )


def size_of(images: Tensor) -> Size:
    """Return the (height, width) of images or maps."""
    return images.shape[-2], images.shape[-1]


def enlarged(features: Tensor, factor: int, images: Tensor) -> Size:
    """Return the (height, width) of a map times a factor, at most the images'."""
    (height, width), (bottom, right) = size_of(features), size_of(images)
    return min(height * factor, bottom), min(width * factor, right)
