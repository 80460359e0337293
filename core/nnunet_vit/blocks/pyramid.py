"""Four strides from a ViT's one, for decoders that were made for backbones which have them.

The widths, and learned upsampling by 2 at a time, follow ViTDet (https://arxiv.org/abs/2203.16527).
"""

import math

import torch
from torch import Tensor, nn

LEVELS = 4
NARROWEST = 16  # channels of the finest maps on very small ViTs
CHANNELS_OF_EIGHT_GROUPS = 64


class Pyramid(nn.Module):
    """Maps of four blocks, all at the patch's stride p, to strides p/4, p/2, p and 2p.

    Attributes:
        widths: channels per level, finest first.
    """

    def __init__(self, embed_dim: int) -> None:
        """Build the normalization and the change of scale of each level."""
        super().__init__()
        half, quarter = (max(embed_dim // share, NARROWEST) for share in (2, 4))
        self.widths = [quarter, half, embed_dim, embed_dim]
        self.normalizations = nn.ModuleList(normalization(embed_dim) for _ in range(LEVELS))
        self.to_quarter = nn.Sequential(
            doubling(embed_dim, half), normalization(half), nn.GELU(), doubling(half, quarter)
        )
        self.to_half = doubling(embed_dim, half)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Map four maps (B, embed_dim, h, w) to (B, width, 4h, 4w) down to (B, width, h/2, w/2).

        An odd h or w is halved to the next integer, its cells then a little closer together.
        """
        first, second, third, last = (
            normalize(level) for normalize, level in zip(self.normalizations, maps, strict=True)
        )
        return [self.to_quarter(first), self.to_half(second), third, halved(last)]


def halved(features: Tensor) -> Tensor:
    """Return means of 2 x 2 cells; over an odd edge means that overlap, so that nothing shifts."""
    height, width = features.shape[-2:]
    return grid_means(features, (height + 1) // 2, (width + 1) // 2)


def grid_means(features: Tensor, rows: int, columns: int) -> Tensor:
    """Return means (B, C, rows, columns) of features (B, C, h, w), as adaptive pooling has them.

    As products, because that has no reproducible gradient on a GPU, and in ONNX no counterpart.
    """
    height, width = features.shape[-2:]
    down = cell_shares(rows, height).to(features)
    across = cell_shares(columns, width).to(features)
    return down @ features @ across.T


def cell_shares(cells: int, edge: int) -> Tensor:
    """Return the share (cells, edge) that each place has in each cell's mean."""
    number, place = torch.arange(cells)[:, None], torch.arange(edge)
    begins, ends = number * edge // cells, -(-(number + 1) * edge // cells)
    inside = ((place >= begins) & (place < ends)).float()
    return inside / inside.sum(dim=1, keepdim=True)


def doubling(before: int, after: int) -> nn.ConvTranspose2d:
    """Return a learned upsampling by 2 whose kernels do not overlap."""
    return nn.ConvTranspose2d(before, after, kernel_size=2, stride=2)


def normalization(channels: int) -> nn.GroupNorm:
    """Return group normalization that is right for one image, and for a map of one cell."""
    groups = math.gcd(8, channels) if channels >= CHANNELS_OF_EIGHT_GROUPS else 1
    return nn.GroupNorm(groups, channels)
