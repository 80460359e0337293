"""Queries that attend to the inside of the masks which they predict, layer after layer."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit_mask2former.pixel_decoder import ATTENDED
from nnunet_vit_mask2former.positions import sine_positions


class Stage(NamedTuple):
    """What the queries say after a layer: (B, Q, classes + 1) and (B, Q, h, w)."""

    class_logits: Tensor
    mask_logits: Tensor


class QueryDecoder(nn.Module):
    """A set of learned queries, each to become one class and one mask.

    Args:
        num_classes: of the segmentation; one more stands for no object.
        hidden_size: channels of the features and of the queries.
        queries: how many.
        layers: how many; they attend to the three maps in turn.
        heads: of the attention.
        feedforward_size: channels within a layer.
        dropout: share dropped in training.
    """

    def __init__(
        self,
        num_classes: int,
        hidden_size: int,
        queries: int,
        layers: int,
        heads: int,
        feedforward_size: int,
        dropout: float,
    ) -> None:
        """Build the queries, the layers and what reads the queries."""
        super().__init__()
        self.queries = nn.Parameter(torch.randn(queries, hidden_size))
        self.query_positions = nn.Parameter(torch.randn(queries, hidden_size))
        self.level_embedding = nn.Parameter(torch.randn(ATTENDED, hidden_size))
        self.layers = nn.ModuleList(
            QueryLayer(hidden_size, heads, feedforward_size, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(hidden_size)
        self.classifier = nn.Linear(hidden_size, num_classes + 1)
        self.to_mask = nn.Sequential(
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, hidden_size),
        )

    def forward(self, maps: list[Tensor], mask_features: Tensor) -> list[Stage]:
        """Return what the queries say before the first layer and after each.

        Args:
            maps: three of (B, hidden_size, h, w), the coarsest first.
            mask_features: (B, hidden_size, h, w) of the masks' resolution.
        """
        places = [
            sine_positions(level.shape[-2], level.shape[-1], level.shape[1], like=level)
            for level in maps
        ]
        values = [
            level.flatten(2).transpose(1, 2) + embedding
            for level, embedding in zip(maps, self.level_embedding, strict=True)
        ]
        queries = self.queries.expand(mask_features.shape[0], -1, -1)
        stages = [self.read(queries, mask_features)]
        for number, layer in enumerate(self.layers):
            turn = number % ATTENDED
            inside = attended_to(stages[-1].mask_logits, maps[turn])
            queries = layer(queries, self.query_positions, values[turn], places[turn], inside)
            stages.append(self.read(queries, mask_features))
        return stages

    def read(self, queries: Tensor, mask_features: Tensor) -> Stage:
        """Return the class and the mask of each query (B, Q, hidden_size)."""
        queries = self.norm(queries)
        masks = torch.einsum("bqc,bchw->bqhw", self.to_mask(queries), mask_features)
        return Stage(self.classifier(queries), masks)


class QueryLayer(nn.Module):
    """Attention to the pixels of each query's mask, among the queries, then linear layers."""

    def __init__(self, hidden_size: int, heads: int, feedforward_size: int, dropout: float) -> None:
        """Build it; the weights start as those of DETR (https://arxiv.org/abs/2005.12872)."""
        super().__init__()
        self.to_pixels = Attention(hidden_size, heads, dropout)
        self.to_pixels_norm = nn.LayerNorm(hidden_size)
        self.to_queries = Attention(hidden_size, heads, dropout)
        self.to_queries_norm = nn.LayerNorm(hidden_size)
        self.widen = nn.Linear(hidden_size, feedforward_size)
        self.narrow = nn.Linear(feedforward_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size)
        self.dropout = nn.Dropout(dropout)
        for value in self.parameters():
            if value.ndim > 1:
                nn.init.xavier_uniform_(value)

    def forward(
        self, queries: Tensor, positions: Tensor, values: Tensor, places: Tensor, inside: Tensor
    ) -> Tensor:
        """Return the queries (B, Q, hidden_size) after the layer.

        Args:
            queries: as they come from the layer before.
            positions: (Q, hidden_size), what tells the queries apart.
            values: (B, N, hidden_size), the pixels' features.
            places: (N, hidden_size), where the pixels are.
            inside: bool (B, Q, N), true where a query may look.
        """
        seen = self.to_pixels(queries + positions, values + places, values, inside)
        queries = self.to_pixels_norm(queries + self.dropout(seen))
        placed = queries + positions
        told = self.to_queries(placed, placed, queries)
        queries = self.to_queries_norm(queries + self.dropout(told))
        change = self.narrow(self.dropout(self.widen(queries).relu()))
        after: Tensor = self.norm(queries + self.dropout(change))
        return after


class Attention(nn.Module):
    """Attention of several heads."""

    def __init__(self, hidden_size: int, heads: int, dropout: float) -> None:
        """Build the four linear layers."""
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key, self.value, self.output = (
            nn.Linear(hidden_size, hidden_size) for _ in range(4)
        )
        for layer in (self.query, self.key, self.value, self.output):
            nn.init.zeros_(layer.bias)

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None = None
    ) -> Tensor:
        """Return (B, Q, hidden_size) for queries of that shape.

        Args:
            queries: (B, Q, hidden_size).
            keys: (B, N, hidden_size).
            values: (B, N, hidden_size).
            allowed: bool (B, Q, N), true where a query may look; None: everywhere.
        """
        seen = functional.scaled_dot_product_attention(
            self._split(self.query(queries)),
            self._split(self.key(keys)),
            self._split(self.value(values)),
            attn_mask=None if allowed is None else allowed[:, None],
            dropout_p=self.dropout if self.training else 0.0,
        )
        output: Tensor = self.output(seen.transpose(1, 2).flatten(2))
        return output

    def _split(self, values: Tensor) -> Tensor:
        return values.view(*values.shape[:2], self.heads, -1).transpose(1, 2)


def attended_to(mask_logits: Tensor, level: Tensor) -> Tensor:
    """Return where each query may look, bool (B, Q, h * w): in its mask, or anywhere if empty."""
    shrunk = functional.interpolate(mask_logits.detach(), size=level.shape[-2:], mode="bilinear")
    inside = shrunk.flatten(2) >= 0
    return inside | ~inside.any(dim=-1, keepdim=True)
