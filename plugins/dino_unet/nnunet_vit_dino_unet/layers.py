"""What every part of the head is made of."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

Size = tuple[int, int]


def convolution(before: int, after: int) -> nn.Sequential:
    """Return a 3 x 3 convolution, group normalization (right for any batch size), leaky ReLU."""
    groups = math.gcd(8, after // 4, after)  # of four channels or more: alone, a flat one is noise
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False),
        nn.GroupNorm(groups, after),
        nn.LeakyReLU(0.01),
    )


def resized(features: Tensor, size: Size | torch.Size) -> Tensor:
    """Return features (B, C, h, w) at another size; halved, each place is the mean of its four."""
    if features.shape[-2:] == size:
        return features
    return functional.interpolate(features, size=size, mode="bilinear")
