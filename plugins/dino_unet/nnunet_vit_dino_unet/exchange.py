"""Cross attention between detail and ViT, each place to the few around its own.

ViT-Adapter (https://arxiv.org/abs/2205.08534) has deformable attention here, which samples at
learned offsets. Its sampled values are bilinear mixtures of the grid's own values; here attention
weighs those themselves, so that no operation is needed that some devices and formats lack.
"""

import torch
from timm.layers import LayerNorm2d
from torch import Tensor, nn

from nnunet_vit.blocks.resolution import resized

AROUND = 9  # a patch and its eight neighbours
HEAD_WIDTH = 32  # channels per attention head, where there are enough
FAINT = 0.01  # share that a neighbour begins with where interpolation gives it nothing


class Extractor(nn.Module):
    """The detail levels read one map of the ViT; then a narrow convolution within each level."""

    def __init__(self, width: int, embed_dim: int) -> None:
        """Build layers that all levels share, apart from where each begins to look."""
        super().__init__()
        self.normalize_source = LayerNorm2d(embed_dim)
        self.attention = LocalAttention(width, embed_dim, width)
        self.normalize_levels = LayerNorm2d(width)
        biases = [interpolation_bias(factor) for factor in (2, 1, 1)]
        self.biases = nn.ParameterList(
            nn.Parameter(bias.repeat(self.attention.heads, 1, 1)) for bias in biases
        )
        self.mixing = ConvolutionalMixing(width)

    def forward(self, levels: list[Tensor], maps: Tensor) -> list[Tensor]:
        """Add to levels (B, width, …) of half a patch, a patch and two what maps tell them.

        Shapes: maps (B, embed_dim, rows, columns), one place per patch.
        """
        source = self.attention.source(self.normalize_source(maps))
        around = surroundings(source)
        coarse = surroundings(resized(source, levels[-1].shape[-2:]))
        enriched = []
        for level, factor, places, bias in zip(
            levels, (2, 1, 1), (around, around, coarse), self.biases, strict=True
        ):
            queries = cells(self.normalize_levels(level), factor)
            answers = uncelled(self.attention(queries, places, bias), level.shape, factor)
            enriched.append(self.mixing(level + answers))
        return enriched


class Injector(nn.Module):
    """The ViT's patches read the detail in and around them; at first they keep what they are."""

    def __init__(self, width: int, embed_dim: int) -> None:
        """Build it; the scale of what is added begins at zero."""
        super().__init__()
        self.normalize_patches = LayerNorm2d(embed_dim)
        self.normalize_levels = LayerNorm2d(width)
        self.attention = LocalAttention(embed_dim, width, width)
        self.bias = nn.Parameter(torch.zeros(self.attention.heads, 1, 4 + AROUND + 1))
        self.scale = nn.Parameter(torch.zeros(embed_dim, 1, 1))

    def forward(self, maps: Tensor, levels: list[Tensor]) -> Tensor:
        """Return maps (B, embed_dim, rows, columns) with detail of the levels added."""
        fine, same, coarse = (
            self.attention.source(self.normalize_levels(level)) for level in levels
        )
        coarse = resized(coarse, maps.shape[-2:])
        places = torch.cat([cells(fine, 2), surroundings(same), cells(coarse, 1)], dim=2)
        queries = cells(self.normalize_patches(maps), 1)
        answers = self.attention(queries, places, self.bias)
        return maps + self.scale * uncelled(answers, maps.shape, 1)


class LocalAttention(nn.Module):
    """Attention in which the queries of each patch have keys of their own, a handful.

    Attributes:
        heads: number of attention heads.
        source: from normalized features to keys and values, (B, C, h, w) to (B, 2 * inner, h, w).
    """

    def __init__(self, query_width: int, source_width: int, width: int) -> None:
        """Build projections to and from the attention's own width, at most `width`."""
        super().__init__()
        self.heads = max(1, width // HEAD_WIDTH)
        inner = width // self.heads * self.heads
        self.query = nn.Linear(query_width, inner)
        self.source = nn.Conv2d(source_width, 2 * inner, kernel_size=1)
        self.out = nn.Linear(inner, query_width)

    def forward(self, queries: Tensor, places: Tensor, bias: Tensor) -> Tensor:
        """Return answers (B, patches, Q, query_width).

        Shapes: queries (B, patches, Q, query_width); places (B, patches, K, 2 * inner) as source
        gives them; bias (heads, Q, K).
        """
        query = self._by_head(self.query(queries))
        key, value = (self._by_head(part) for part in places.chunk(2, dim=-1))
        scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5 + bias
        answers: Tensor = self.out((scores.softmax(dim=-1) @ value).transpose(2, 3).flatten(3))
        return answers

    def _by_head(self, features: Tensor) -> Tensor:
        split = features.view(*features.shape[:-1], self.heads, features.shape[-1] // self.heads)
        return split.transpose(2, 3)


class ConvolutionalMixing(nn.Module):
    """A narrow residual branch with a depthwise convolution: neighbours of one level meet."""

    def __init__(self, width: int) -> None:
        """Build it with a quarter of the channels."""
        super().__init__()
        inner = max(width // 4, 1)
        self.branch = nn.Sequential(
            LayerNorm2d(width),
            nn.Conv2d(width, inner, kernel_size=1),
            nn.Conv2d(inner, inner, kernel_size=3, padding=1, groups=inner),
            nn.GELU(),
            nn.Conv2d(inner, width, kernel_size=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, width, h, w) to the same shape."""
        mixed: Tensor = features + self.branch(features)
        return mixed


def surroundings(maps: Tensor) -> Tensor:
    """Return each place with its eight neighbours, (B, h * w, 9, C) of maps (B, C, h, w).

    Beyond the edge stand repetitions of it, as in bilinear interpolation.
    """
    height, width = maps.shape[-2:]
    maps = torch.cat([maps[:, :, :1], maps, maps[:, :, -1:]], dim=2)
    maps = torch.cat([maps[..., :1], maps, maps[..., -1:]], dim=3)
    shifted = [
        maps[:, :, row : row + height, column : column + width]
        for row in range(3)
        for column in range(3)
    ]
    return torch.stack(shifted, dim=2).flatten(3).permute(0, 3, 2, 1)


def cells(maps: Tensor, factor: int) -> Tensor:
    """Return maps (B, C, h * factor, w * factor) by patch, (B, h * w, factor * factor, C)."""
    batch, channels, height, width = maps.shape
    split = maps.reshape(batch, channels, height // factor, factor, width // factor, factor)
    return split.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(1, 2)


def uncelled(features: Tensor, shape: torch.Size, factor: int) -> Tensor:
    """Return what `cells` made of maps of that shape (B, C, H, W) as such maps again."""
    batch, channels, height, width = shape
    grid = (height // factor, width // factor)
    split = features.reshape(batch, *grid, factor, factor, channels)
    return split.permute(0, 5, 1, 3, 2, 4).reshape(batch, channels, height, width)


def interpolation_bias(factor: int) -> Tensor:
    """Return scores (factor * factor, 9) whose softmax is about the share of each neighbour.

    That is its share in bilinear interpolation from the grid of patches to a place within one.
    """
    offsets = (torch.arange(factor) + 0.5) / factor - 0.5  # from the patch's middle, in patches
    line = 1 - (offsets[:, None] - torch.tensor([-1.0, 0.0, 1.0])).abs()
    line = line.clamp(min=0)  # (factor, 3)
    shares = torch.einsum("ri,cj->rcij", line, line).reshape(factor * factor, AROUND)
    return shares.clamp(min=FAINT).log()
