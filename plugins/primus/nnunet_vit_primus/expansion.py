"""Patches become pixels: transposed convolutions that never look at a neighbouring patch."""

from timm.layers import LayerNorm2d
from torch import nn


def doubling(before: int, after: int) -> nn.ConvTranspose2d:
    """Return a transposed convolution from each pixel to its four, as Primus starts it."""
    expand = nn.ConvTranspose2d(before, after, kernel_size=2, stride=2)
    nn.init.kaiming_normal_(expand.weight, a=0.01)
    nn.init.zeros_(expand.bias)  # type: ignore[arg-type]
    return expand


def stage(before: int, after: int) -> nn.Sequential:
    """Return a doubling with normalization and GELU: every one but that to the logits."""
    return nn.Sequential(doubling(before, after), LayerNorm2d(after), nn.GELU())


def widths(embed_dim: int, num_classes: int, stages: int) -> list[int]:
    """Return the channels from the map to the logits, falling by one factor, in multiples of 8.

    The factor is as if the last stage gave twice the classes.
    """
    factor = (embed_dim / (2 * num_classes)) ** (1 / stages)
    inner = (embed_dim / factor**step for step in range(1, stages))
    return [embed_dim, *(max(8, round((width + 1e-6) / 8) * 8) for width in inner), num_classes]
