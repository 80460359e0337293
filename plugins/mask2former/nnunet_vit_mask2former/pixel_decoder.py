"""From four maps to features of pixels: deformable attention over three, the finest added."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit_mask2former.deformable import DeformableLayer, Sizes
from nnunet_vit_mask2former.positions import centres, sine_positions

ATTENDED = 3  # maps, the coarsest first
GROUPS = 32
LEAST_PER_GROUP = 8  # channels; a map of one cell has no other statistics


class PixelDecoder(nn.Module):
    """What masks are made of, and three maps for queries to attend to.

    Args:
        widths: channels of the four maps, finest first.
        hidden_size: channels of all that comes out.
        layers: number of layers of deformable attention.
        heads: of the attention.
        feedforward_size: channels within a layer.
        points: places per head and map that a token looks at.
        dropout: share dropped in training.
    """

    def __init__(
        self,
        widths: list[int],
        hidden_size: int,
        layers: int,
        heads: int,
        feedforward_size: int,
        points: int,
        dropout: float,
    ) -> None:
        """Build the layers."""
        super().__init__()
        finest, *coarser = widths
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, hidden_size, 1), normalization(hidden_size))
            for width in reversed(coarser)
        )
        self.level_embedding = nn.Parameter(torch.randn(ATTENDED, hidden_size))
        self.layers = nn.ModuleList(
            DeformableLayer(hidden_size, feedforward_size, heads, ATTENDED, points, dropout)
            for _ in range(layers)
        )
        self.lateral = nn.Sequential(
            nn.Conv2d(finest, hidden_size, 1, bias=False), normalization(hidden_size)
        )
        self.smooth = nn.Sequential(
            nn.Conv2d(hidden_size, hidden_size, 3, padding=1, bias=False),
            normalization(hidden_size),
            nn.ReLU(),
        )
        self.to_masks = nn.Conv2d(hidden_size, hidden_size, 1)

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return the features of the masks, and the three maps attended to, coarsest first.

        Shapes: maps (B, width, h, w), finest first; the features have the finest one's height and
        width, all that is returned hidden_size channels.
        """
        finest, *coarser = maps
        attended = self.attend(coarser[::-1])
        above = functional.interpolate(attended[-1], size=finest.shape[-2:], mode="bilinear")
        return self.to_masks(self.smooth(self.lateral(finest) + above)), attended

    def attend(self, maps: list[Tensor]) -> list[Tensor]:
        """Map three maps, coarsest first, to as many of hidden_size channels."""
        projected = [project(level) for project, level in zip(self.projections, maps, strict=True)]
        sizes: Sizes = [(level.shape[-2], level.shape[-1]) for level in projected]
        tokens = torch.cat([level.flatten(2).transpose(1, 2) for level in projected], dim=1)
        channels = tokens.shape[-1]
        positions = torch.cat(
            [
                sine_positions(*size, channels, like=tokens) + embedding
                for size, embedding in zip(sizes, self.level_embedding, strict=True)
            ]
        )
        middles = torch.cat([centres(*size, like=tokens) for size in sizes])
        for layer in self.layers:
            tokens = layer(tokens, positions, middles, sizes)
        parts = torch.split(tokens, [rows * columns for rows, columns in sizes], dim=1)
        return [
            part.transpose(1, 2).reshape(-1, channels, *size)
            for part, size in zip(parts, sizes, strict=True)
        ]


def normalization(channels: int) -> nn.GroupNorm:
    """Return normalization of 32 groups, or of fewer where they would hold few channels."""
    return nn.GroupNorm(math.gcd(GROUPS, max(1, channels // LEAST_PER_GROUP)), channels)
