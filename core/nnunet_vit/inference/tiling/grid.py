"""Where tiles lie on an image, and how much each of their pixels counts: nnU-Net's own rules."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from nnunetv2.inference.sliding_window_prediction import (
    compute_gaussian,
    compute_steps_for_sliding_window,
)
from torch import Tensor

Region = tuple[slice, ...]
Axes = tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """How a model's tiles cover an image.

    Attributes:
        tile: (H, W), or (D, H, W) of a 3D configuration, voxels.
        step: between tiles, at most this share of the tile.
        mirrors: axes of a tile that are mirrored, for each time that the network sees it.
    """

    tile: tuple[int, ...]
    step: float
    mirrors: tuple[Axes, ...] = ((),)

    def regions(self, shape: Sequence[int]) -> list[Region]:
        """Return the tiles of what is at least one of them large."""
        return list(self.tiles_at(self.steps(shape)))

    def tiles_at(self, starts: Sequence[Sequence[int]]) -> Iterator[Region]:
        """Yield the tiles that begin there on each axis, row by row."""
        for at in itertools.product(*starts):
            yield tuple(
                slice(start, start + size) for start, size in zip(at, self.tile, strict=True)
            )

    def rows_on(self, size: Sequence[int], columns: tuple[int, int]) -> tuple[list[int], list[int]]:
        """Return where tiles begin that lie on some columns of an image.

        Args:
            size: (Y, X) of the image, which may be less than a tile.
            columns: (left, right) of the image.

        Returns:
            The first line of each row of tiles, and the first column of each tile of a row, in the
            padded image.
        """
        (_, (before, _)), (_, wide) = self.padding(size), self.tile
        left, right = (end + before for end in columns)
        down, across = self.steps(size)
        return down, [start for start in across if left - wide < start < right]

    def read(self, size: Sequence[int], columns: tuple[int, int]) -> tuple[int, int]:
        """Return the columns (left, right) of an image on which the tiles of `rows_on` lie."""
        (_, (before, _)), (_, across) = self.padding(size), self.rows_on(size, columns)
        return max(0, across[0] - before), min(size[1], across[-1] + self.tile[1] - before)

    def steps(self, shape: Sequence[int]) -> list[list[int]]:
        """Return where tiles begin on each axis; on one that is too short, at 0."""
        padded = [max(size, tile) for size, tile in zip(shape, self.tile, strict=True)]
        found: list[list[int]] = compute_steps_for_sliding_window(
            tuple(padded), self.tile, self.step
        )
        return found

    def padding(self, shape: Sequence[int]) -> list[tuple[int, int]]:
        """Return what is added before and after each axis for one tile at least, voxels."""
        lacking = [max(0, tile - size) for size, tile in zip(shape, self.tile, strict=True)]
        return [(lacks // 2, lacks - lacks // 2) for lacks in lacking]

    def importance(self, device: torch.device) -> Tensor:
        """Return the weight of each voxel of a tile in half precision, highest in its middle."""
        weights: Tensor = compute_gaussian(
            self.tile, sigma_scale=1 / 8, value_scaling_factor=10, device=device
        )
        return weights


def mirrors_of(axes: Sequence[int] | None) -> tuple[Axes, ...]:
    """Return every choice among the axes, none first, in nnU-Net's order."""
    own = tuple(axes or ())
    return tuple(one for size in range(len(own) + 1) for one in itertools.combinations(own, size))
