"""Upsampling in steps of 2, each with a convolution over the features and the image's own detail.

What is thinner than a patch is hardly in the ViT's tokens; a few convolutions on the image bring it
back. The idea is that of ViTMatte's detail capture (https://arxiv.org/abs/2305.15272), the code is
not.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.blocks.resolution import Size

NARROWEST = 16  # channels below which refinement has nothing left to work with
WIDEST_DETAIL = 4  # times detail_channels, in the coarser stages


class Refinement(nn.Module):
    """Stages that double the resolution; the last one ends at the image's, whatever is left.

    Args:
        stages: upsamplings; 0 leaves the features as they are.
        hidden_size: channels of the fused map.
        in_channels: of the images.
        detail_channels: of the image's detail at full resolution; 0 for none.
    """

    def __init__(
        self, stages: int, hidden_size: int, in_channels: int, detail_channels: int
    ) -> None:
        """Build a convolution per stage; each has half the channels of the one before."""
        super().__init__()
        halved = [max(hidden_size >> step, NARROWEST) for step in range(1, stages + 1)]
        widths = [hidden_size, *halved]
        self.width = widths[-1]
        self.detail = DetailStem(stages, in_channels, detail_channels) if detail_channels else None
        extra = self.detail.widths if self.detail else [0] * stages
        self.stages = nn.ModuleList(
            convolution(before + more, after, kernel_size=3)
            for (before, after), more in zip(pairwise(widths), extra, strict=True)
        )

    def forward(self, features: Tensor, images: Tensor) -> Tensor:
        """Refine features (B, hidden_size, h, w) to (B, width, H, W) beside images (B, C, H, W)."""
        sizes = self.sizes(features, images)
        details = self.detail(images, sizes) if self.detail else [None] * len(sizes)
        for stage, size, detail in zip(self.stages, sizes, details, strict=True):
            features = functional.interpolate(features, size=size, mode="bilinear")
            features = stage(features if detail is None else torch.cat([features, detail], dim=1))
        return features

    def sizes(self, features: Tensor, images: Tensor) -> list[Size]:
        """Return each stage's (height, width): doubled, and the image's own at the end."""
        height, width = features.shape[-2:]
        doubled = [(height << step, width << step) for step in range(1, len(self.stages))]
        return [*doubled, (images.shape[-2], images.shape[-1])] if len(self.stages) else []


class DetailStem(nn.Module):
    """Convolutions on the image, one per stage of the refinement, from fine to coarse."""

    def __init__(self, stages: int, in_channels: int, detail_channels: int) -> None:
        """Build them; `widths` are the channels per stage, coarsest first."""
        super().__init__()
        fine_to_coarse = [detail_channels * min(1 << step, WIDEST_DETAIL) for step in range(stages)]
        self.widths = fine_to_coarse[::-1]
        self.convolutions = nn.ModuleList(
            convolution(before, after, kernel_size=3)
            for before, after in pairwise([in_channels, *fine_to_coarse])
        )

    def forward(self, images: Tensor, sizes: list[Size]) -> list[Tensor]:
        """Return the detail at each of the sizes, coarsest first, from images (B, C, H, W)."""
        details, features = [], images
        for convolve, size in zip(self.convolutions, reversed(sizes), strict=True):
            if features.shape[-2:] != size:
                features = functional.interpolate(features, size=size, mode="bilinear")
            features = convolve(features)
            details.append(features)
        return details[::-1]


def convolution(before: int, after: int, kernel_size: int) -> nn.Sequential:
    """Return convolution, group normalization and GELU."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2, bias=False),
        normalization(after),
        nn.GELU(),
    )


def normalization(channels: int) -> nn.GroupNorm:
    """Return a normalization over groups of channels: of one image, whatever is beside it."""
    return nn.GroupNorm(math.gcd(8, channels), channels)
