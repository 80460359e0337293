"""Deformable attention over several maps (https://arxiv.org/abs/2010.04159), in plain PyTorch.

Each token looks at a few places of each map; it chooses them, and how much each of them counts.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

Sizes = list[tuple[int, int]]  # rows and columns per map


class DeformableLayer(nn.Module):
    """Deformable attention of all tokens to all maps, then two linear layers."""

    def __init__(
        self,
        hidden_size: int,
        feedforward_size: int,
        heads: int,
        levels: int,
        points: int,
        dropout: float,
    ) -> None:
        """Build it for tokens of hidden_size channels from that many maps."""
        super().__init__()
        self.attention = DeformableAttention(hidden_size, heads, levels, points)
        self.attention_norm = nn.LayerNorm(hidden_size)
        self.widen = nn.Linear(hidden_size, feedforward_size)
        self.narrow = nn.Linear(feedforward_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, positions: Tensor, centres: Tensor, sizes: Sizes) -> Tensor:
        """Return the tokens (B, N, hidden_size) after the layer.

        Args:
            tokens: of all maps, one map after the other.
            positions: (N, hidden_size), what tells the tokens apart.
            centres: (N, 2), x and y from 0 to 1.
            sizes: rows and columns of each map.
        """
        seen = self.attention(tokens, positions, centres, sizes)
        tokens = self.attention_norm(tokens + self.dropout(seen))
        change = self.narrow(self.dropout(self.widen(tokens).relu()))
        after: Tensor = self.norm(tokens + self.dropout(change))
        return after


class DeformableAttention(nn.Module):
    """Values sampled at places that each token chooses around its own, weighted and added."""

    def __init__(self, hidden_size: int, heads: int, levels: int, points: int) -> None:
        """Build it; heads look in different directions at first, points up to a cell away.

        Up to `points` cells away, as published, is half the image where a ViT has 16 x 16 patches.
        """
        super().__init__()
        self.heads, self.levels, self.points = heads, levels, points
        self.offsets = nn.Linear(hidden_size, heads * levels * points * 2)
        self.weights = nn.Linear(hidden_size, heads * levels * points)
        self.values = nn.Linear(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)
        self._start()

    def forward(self, tokens: Tensor, positions: Tensor, centres: Tensor, sizes: Sizes) -> Tensor:
        """Map tokens (B, N, hidden_size) to as many; arguments as those of DeformableLayer."""
        asking = tokens + positions
        kind = (self.heads, self.levels, self.points)
        # in bfloat16 places would be rounded to many pixels
        offsets = self.offsets(asking).unflatten(2, (*kind, 2)).float()
        weights = self.weights(asking).unflatten(2, (self.heads, -1)).float().softmax(dim=-1)
        weights = weights.unflatten(3, kind[1:])
        values = self.values(tokens).unflatten(2, (self.heads, -1)).float()
        maps = values.split([rows * columns for rows, columns in sizes], dim=1)
        seen = sum(
            sampled(part, size, centres, offsets[:, :, :, level], weights[:, :, :, level])
            for level, (part, size) in enumerate(zip(maps, sizes, strict=True))
        )
        output: Tensor = self.output(seen)
        return output

    def _start(self) -> None:
        nn.init.zeros_(self.offsets.weight)
        turns = torch.arange(self.heads) * (2 * math.pi / self.heads)
        directions = torch.stack([turns.cos(), turns.sin()], dim=-1)
        directions /= directions.abs().amax(dim=-1, keepdim=True)
        distances = torch.arange(1, self.points + 1)[:, None] / self.points
        start = (directions[:, None, None] * distances).expand(-1, self.levels, -1, -1)
        with torch.no_grad():
            self.offsets.bias.copy_(start.flatten())
        nn.init.zeros_(self.weights.weight)
        nn.init.zeros_(self.weights.bias)
        for layer in (self.values, self.output):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)


def sampled(
    values: Tensor, size: tuple[int, int], centres: Tensor, offsets: Tensor, weights: Tensor
) -> Tensor:
    """Return what N tokens see of one map, (B, N, heads * channels), zeros beyond its border.

    Args:
        values: (B, rows * columns, heads, channels).
        size: rows and columns.
        centres: (N, 2), x and y from 0 to 1.
        offsets: (B, N, heads, points, 2), x and y in cells of the map.
        weights: (B, N, heads, points).
    """
    batch, _, heads, channels = values.shape
    cells = torch.tensor([size[1], size[0]], device=values.device)
    places = 2 * (centres[:, None, None] + offsets / cells) - 1
    maps = values.permute(0, 2, 3, 1).reshape(batch * heads, channels, *size)
    found = functional.grid_sample(
        maps, places.transpose(1, 2).flatten(0, 1), mode="bilinear", align_corners=False
    )  # (B * heads, channels, N, points)
    seen = (found * weights.transpose(1, 2).flatten(0, 1)[:, None]).sum(dim=-1)
    return seen.view(batch, heads * channels, -1).transpose(1, 2)
