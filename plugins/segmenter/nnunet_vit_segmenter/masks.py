"""Masks: how much each part of each patch is like each class."""

from itertools import pairwise

import torch
from timm.layers import LayerNorm2d
from torch import Tensor, nn
from torch.nn import functional

SCALE = 10.0  # of a cosine at the start, so that a softmax can be sure of itself
SMALLEST_LENGTH = 1e-6  # of an embedding: below, its direction is rounding


class ClassScale(nn.Module):
    """A scale and a shift for each class, which know nothing of the other classes."""

    def __init__(self, num_classes: int) -> None:
        """Begin with one scale for all and no shift."""
        super().__init__()
        self.weight = nn.Parameter(torch.full((num_classes, 1, 1), SCALE))
        self.bias = nn.Parameter(torch.zeros(num_classes, 1, 1))

    def forward(self, masks: Tensor) -> Tensor:
        """Scale and shift (B, num_classes, h, w)."""
        return self.weight * masks + self.bias


class Masks(nn.Module):
    """Cosines between the embeddings of patches, or of their parts, and those of classes.

    Args:
        width: channels of the tokens.
        upsamplings: of the patches' resolution; each halves the channels. 0: the paper's.
    """

    def __init__(self, width: int, upsamplings: int) -> None:
        """Build the upsamplings and the two projections."""
        super().__init__()
        widths = [width >> step for step in range(upsamplings + 1)]
        self.doublings = nn.Sequential(*(doubling(*pair) for pair in pairwise(widths)))
        self.patches = projection(widths[-1], widths[-1])
        self.classes = projection(width, widths[-1])

    def forward(self, patches: Tensor, classes: Tensor) -> Tensor:
        """Map (B, width, h, w) and (B, num_classes, width) to (B, num_classes, h', w').

        Cosines that differ by less than bfloat16 resolves are told apart by what follows: they are
        computed in float32.
        """
        parts = self.patches(self.doublings(patches).movedim(1, -1))
        classes = self.classes(classes)
        with torch.autocast(patches.device.type, enabled=False):
            parts, classes = (
                functional.normalize(embedding.float(), dim=-1, eps=SMALLEST_LENGTH)
                for embedding in (parts, classes)
            )
            return torch.einsum("bhwc,bkc->bkhw", parts, classes)


def doubling(before: int, after: int) -> nn.Sequential:
    """Return a transposed convolution from each pixel to its four, normalization and GELU."""
    expand = nn.ConvTranspose2d(before, after, kernel_size=2, stride=2)
    nn.init.kaiming_normal_(expand.weight, mode="fan_out")
    nn.init.zeros_(expand.bias)  # type: ignore[arg-type]
    return nn.Sequential(expand, LayerNorm2d(after), nn.GELU())


def projection(before: int, after: int) -> nn.Linear:
    """Return a linear layer that keeps the scale at the start."""
    linear = nn.Linear(before, after, bias=False)
    nn.init.normal_(linear.weight, std=before**-0.5)
    return linear
