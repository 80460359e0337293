"""The logits of one plane, or of a volume of a 3D configuration, while its tiles are computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add

import torch
from torch import Tensor
from torch.nn.functional import pad

from nnunet_vit.inference.entropy import MemberMaps
from nnunet_vit.inference.tiling.grid import Grid, Region


class Sums:
    """Weighted sums of logits in half precision, as nnU-Net's predictor keeps them.

    A sum in single precision is more exact, by about 0.02 of a logit, but moves one pixel in
    20,000 to another class: masks would not be those of stock nnU-Net.

    Attributes:
        image: (C, *size), padded to one tile at least.
    """

    def __init__(
        self,
        image: Tensor,
        grid: Grid,
        networks: int,
        *,
        outputs: int,
        maps: MemberMaps | None = None,
    ) -> None:
        """Start with no tile of an image (C, *size)."""
        self._size, self._padding = image.shape[1:], grid.padding(image.shape[1:])
        ends = [end for both in reversed(self._padding) for end in both]
        self.image = pad(image, ends) if any(ends) else image
        padded = self.image.shape[1:]
        self._logits = torch.zeros(
            (networks, outputs, *padded), dtype=torch.half, device=image.device
        )
        self._weights = torch.zeros(padded, dtype=torch.half, device=image.device)
        self.maps = maps
        shape = (0 if maps is None else maps.channels, *padded)
        self._mapped = torch.zeros(shape, device=image.device)
        self._regions = grid.regions(padded)
        self._missing = len(self._regions)

    @property
    def tiles(self) -> "list[Tile]":
        """The tiles; sums do not keep them, or a cycle would keep the image until it is found."""
        return [Tile(self, region, self.image[(slice(None), *region)]) for region in self._regions]

    @property
    def complete(self) -> bool:
        """Whether every tile has been added."""
        return not self._missing

    def add(self, region: Region, logits: Tensor, weights: Tensor) -> None:
        """Add the logits (networks, outputs, *tile) of a tile, weighted (*tile)."""
        self._logits[(slice(None), slice(None), *region)] += logits * weights
        self._weights[region] += weights
        self._missing -= 1

    def add_maps(self, region: Region, maps: Tensor, weights: Tensor) -> None:
        """Add the maps (channels, *tile) of a tile; `add` counts it."""
        self._mapped[(slice(None), *region)] += maps * weights

    def mean(self) -> Tensor:
        """Return the networks' mean logits (outputs, *size) in half precision.

        Where maps are asked for, they come after the outputs.
        """
        self._logits /= self._weights
        total: Tensor = self._logits[0]
        for other in self._logits[1:]:
            total += other
        if len(self._logits) > 1:
            total /= len(self._logits)
        inner = (
            slice(before, before + size)
            for (before, _), size in zip(self._padding, self._size, strict=True)
        )
        if self.maps is not None:
            total = torch.cat([total, (self._mapped / self._weights).to(total.dtype)])
        return total[(slice(None), *inner)]


@dataclass(frozen=True)
class Tile:
    """A part of an image that the network sees at once.

    Attributes:
        sums: of the image.
        region: where it lies.
        upright: its pixels (C, *tile).
    """

    sums: Sums
    region: Region
    upright: Tensor

    def pixels(self, grid: Grid) -> list[Tensor]:
        """Return its pixels (C, *tile), once for each way of mirroring."""
        return [torch.flip(self.upright, [axis + 1 for axis in axes]) for axes in grid.mirrors]

    def add(self, logits: Tensor, weights: Tensor, grid: Grid) -> None:
        """Add what the networks say of the mirrored tile, (networks, mirrors, outputs, *tile)."""
        upright: Iterable[Tensor] = (
            torch.flip(logits[:, number], [axis + 2 for axis in axes]) if axes else logits[:, 0]
            for number, axes in enumerate(grid.mirrors)
        )
        if self.sums.maps is not None:
            upright = list(upright)
            self.sums.add_maps(self.region, self.sums.maps(torch.cat(upright)), weights)
        self.sums.add(self.region, reduce(add, upright) / len(grid.mirrors), weights)
