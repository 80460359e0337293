"""The tokens between a ViT's blocks, for heads that work inside it rather than behind it."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Tokens:
    """The tokens of a batch between two blocks.

    Attributes:
        values: (B, prefix + rows * columns + added, embed_dim).
        grid: (rows, columns) of patches.
        prefix: number of tokens before those of the patches: class token, registers.
        places: what the blocks are told about places, as timm's class wants it; None: nothing.
    """

    values: Tensor
    grid: tuple[int, int]
    prefix: int
    places: Tensor | None = None

    @property
    def maps(self) -> Tensor:
        """The patches' tokens as maps (B, embed_dim, rows, columns)."""
        patches = self.values[:, self.prefix : self._end]
        return patches.transpose(1, 2).reshape(patches.shape[0], -1, *self.grid)

    @property
    def added(self) -> Tensor:
        """The tokens that with_added has appended, (B, added, embed_dim)."""
        return self.values[:, self._end :]

    def with_maps(self, maps: Tensor) -> "Tokens":
        """Return these with the patches' tokens from maps (B, embed_dim, rows, columns).

        Raises:
            ValueError: maps of another shape.
        """
        if maps.shape != self.maps.shape:
            raise ValueError(
                f"maps of shape {tuple(maps.shape)}; needed: {tuple(self.maps.shape)}, as .maps has"
            )
        patches = maps.flatten(2).transpose(1, 2)
        parts = [self.values[:, : self.prefix], patches.to(self.values.dtype), self.added]
        return replace(self, values=torch.cat(parts, dim=1))

    def with_added(self, tokens: Tensor) -> "Tokens":
        """Return these with tokens (B or 1, M, embed_dim) at the end that have no place."""
        more = tokens.expand(self.values.shape[0], -1, -1).to(self.values.dtype)
        return replace(self, values=torch.cat([self.values, more], dim=1))

    @property
    def _end(self) -> int:
        rows, columns = self.grid
        return self.prefix + rows * columns
