"""What every part of the head is made of."""

import math

from torch import nn


def convolution(before: int, after: int) -> nn.Sequential:
    """Return a 3 x 3 convolution, group normalization (right for any batch size), leaky ReLU."""
    groups = math.gcd(8, after // 4, after)  # of four channels or more: alone, a flat one is noise
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, padding=1, bias=False),
        nn.GroupNorm(groups, after),
        nn.LeakyReLU(0.01),
    )
