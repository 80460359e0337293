"""The sliding window: images to logits, in batches as large as memory takes."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import torch
from torch import Tensor

from nnunet_vit.inference.entropy import MemberMaps
from nnunet_vit.inference.tiling.band import Band
from nnunet_vit.inference.tiling.forward import Forward
from nnunet_vit.inference.tiling.grid import Grid, Region
from nnunet_vit.inference.tiling.sums import Sums, Tile

Item = TypeVar("Item")
AHEAD = 2  # batches that are computed while the sums of another are added
MOST_AHEAD = 2**28  # bytes of a batch's logits: larger ones are computed one by one


@dataclass(frozen=True)
class _Part(Generic[Item]):
    """A plane of an image, or the whole image of a 3D configuration.

    Attributes:
        item: what came with the image.
        logits: of the whole image, in half precision.
        index: where the part lies in it.
        sums: of the part.
        last: whether the image is complete with it.
    """

    item: Item
    logits: Tensor
    index: tuple[slice | int, ...]
    sums: Sums
    last: bool


class SlidingWindow:
    """The mean logits of several networks, tile by tile.

    Args:
        forward: the networks.
        grid: how tiles cover an image.
        outputs: channels of the logits.
        maps: of the members' logits in a tile; they follow the outputs, as channels more. None:
            nobody asks for them.
    """

    def __init__(
        self, forward: Forward, grid: Grid, outputs: int, *, maps: MemberMaps | None = None
    ) -> None:
        """Slide over images."""
        self._forward, self._grid, self._outputs = forward, grid, outputs
        self._maps = maps
        self._weights = grid.importance(forward.device)

    @property
    def grid(self) -> Grid:
        """How tiles cover an image."""
        return self._grid

    @property
    def teams(self) -> int:
        """How many teams of networks compute at the same time."""
        return self._forward.teams

    @torch.inference_mode()
    def logits(self, images: Iterable[tuple[Item, Tensor]]) -> Iterator[tuple[Item, Tensor]]:
        """Yield the mean logits (outputs, Z, Y, X) of each image (C, Z, Y, X), in their order.

        Tiles of several small images share a batch. What comes with an image is handed through.
        Logits are in half precision, on the CPU.
        """
        begun: deque[_Part[Item]] = deque()

        def tiles() -> Iterator[Tile]:
            for item, image in images:
                for part in self._parts(item, image):
                    begun.append(part)
                    yield from part.sums.tiles

        for _ in self._batches(tiles()):
            yield from _finished(begun)

    @torch.inference_mode()
    def rows(
        self,
        size: Sequence[int],
        pixels: Callable[[Region], Tensor],
        columns: tuple[int, int] | None = None,
    ) -> Iterator[Tensor]:
        """Yield the mean logits (outputs, rows, columns) of an image that is never whole in memory.

        They are those of `logits`, from the top to the bottom: the same tiles, added in the same
        order.

        Args:
            size: (Y, X) of the image.
            pixels: returns those of a region, (C, *tile), with 0 outside of the image; it is asked
                tile by tile, row by row.
            columns: (left, right) that are wanted; None: all.
        """
        forward = self._forward
        band = Band(
            size, self._grid, forward.networks,
            outputs=self._outputs, device=forward.device, columns=columns or (0, size[1]),
        )  # fmt: skip
        tiles = (Tile(band, region, pixels(region).to(forward.device)) for region in band.regions)
        for _ in self._batches(tiles):
            yield from band.taken()
        band.finish()
        yield from band.taken()

    @property
    def _together(self) -> int:
        return max(1, self._forward.at_once // len(self._grid.mirrors))

    @property
    def _ahead(self) -> int:
        views = self._together * len(self._grid.mirrors)
        values = views * self._forward.networks * self._outputs * math.prod(self._grid.tile)
        small = values * torch.float32.itemsize <= MOST_AHEAD
        return AHEAD if small and self._forward.teams > 1 else 0

    def _parts(self, item: Item, image: Tensor) -> Iterator[_Part[Item]]:
        size, device = image.shape[1:], self._forward.device
        channels = self._outputs + (0 if self._maps is None else self._maps.channels)
        logits = torch.empty((channels, *size), dtype=torch.half)
        flat = len(self._grid.tile) < len(size)
        indices = [(slice(None), plane) for plane in range(size[0])] if flat else [(slice(None),)]
        for index in indices:
            sums = Sums(
                image[index].to(device), self._grid, self._forward.networks,
                outputs=self._outputs, maps=self._maps,
            )  # fmt: skip
            yield _Part(item, logits, index, sums, index is indices[-1])

    def _batches(self, tiles: Iterator[Tile]) -> Iterator[None]:
        """Yield after each batch of tiles whose logits are added.

        The networks compute the next batches meanwhile: none waits for what another computes last.
        """
        with ThreadPoolExecutor(AHEAD, "batch") as threads:
            computing: deque[tuple[list[Tile], Future[Tensor]]] = deque()
            while batch := list(islice(tiles, self._together)):
                found = self._computed(threads if self._ahead else None, self._views(batch))
                computing.append((batch, found))
                if len(computing) > self._ahead:
                    self._add(*computing.popleft())
                    yield
            while computing:
                self._add(*computing.popleft())
                yield

    def _computed(self, threads: ThreadPoolExecutor | None, views: Tensor) -> Future[Tensor]:
        """Let threads compute the logits; without, compute them here, as a GPU wants it."""
        if threads is not None:
            return threads.submit(self._forward, views)
        found: Future[Tensor] = Future()
        found.set_result(self._forward(views))
        return found

    def _views(self, tiles: Sequence[Tile]) -> Tensor:
        return torch.stack([view for tile in tiles for view in tile.pixels(self._grid)])

    def _add(self, tiles: Sequence[Tile], found: Future[Tensor]) -> None:
        logits, grid = found.result(), self._grid
        logits = logits.reshape(len(logits), len(tiles), len(grid.mirrors), *logits.shape[2:])
        for number, tile in enumerate(tiles):
            tile.add(logits[:, number], self._weights, grid)


def _finished(begun: deque[_Part[Item]]) -> Iterator[tuple[Item, Tensor]]:
    while begun and begun[0].sums.complete:
        part = begun.popleft()
        part.logits[part.index] = part.sums.mean().cpu()
        if part.last:
            yield part.item, part.logits
