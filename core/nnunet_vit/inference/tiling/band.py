"""Sums of logits for one row of tiles, which moves down an image that is never whole in memory."""

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from nnunet_vit.inference.tiling.grid import Grid, Region
from nnunet_vit.inference.tiling.sums import Sums


class Band(Sums):
    """The sums of the lines that the next tiles may lie on: as many as a tile is high.

    Tiles come row by row. Lines above the row that begins are complete: their mean is kept until
    somebody takes it.

    Attributes:
        regions: all tiles of the image, in padded coordinates, row by row.
    """

    def __init__(
        self,
        size: Sequence[int],
        grid: Grid,
        networks: int,
        *,
        outputs: int,
        device: torch.device,
    ) -> None:
        """Start at the top of an image of size (Y, X)."""
        (above, below), _ = grid.padding(size)
        padded = [have + sum(ends) for have, ends in zip(size, grid.padding(size), strict=True)]
        super().__init__(
            torch.empty((0, grid.tile[0], size[1]), device=device), grid, networks, outputs=outputs
        )
        self.regions = grid.regions(padded)
        self._top, self._above, self._end = 0, above, padded[0] - below
        self._height = padded[0]
        self._means: list[Tensor] = []

    def add(self, region: Region, logits: Tensor, weights: Tensor) -> None:
        """Add the logits of a tile; where a new row begins, the lines above it are finished."""
        down, across = region
        if down.start > self._top:
            self._move(down.start)
        super().add((slice(0, down.stop - down.start), across), logits, weights)

    def finish(self) -> None:
        """Finish the lines that are left: all tiles have been added."""
        self._move(self._height)

    def taken(self) -> Iterator[Tensor]:
        """Yield the mean logits (outputs, lines, X) of lines that are complete, once."""
        while self._means:
            yield self._means.pop(0)

    def _move(self, top: int) -> None:
        lines = top - self._top
        done = copy.copy(self)
        done._logits, done._weights = self._logits[:, :, :lines], self._weights[:lines]
        first, last = max(self._above - self._top, 0), min(self._end - self._top, lines)
        self._means.append(done.mean()[:, first:last].clone())
        for plane in (*self._logits.flatten(0, 1), self._weights):
            plane[: len(plane) - lines] = plane[lines:].clone()
            plane[len(plane) - lines :] = 0
        self._top = top
