"""A mask as a tiled pyramidal TIFF, of which only few lines are in memory."""

import itertools
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

TILE = 512
CLASSIC = 3 * 10**9  # bytes of pixels; more of them get a BigTIFF, however small they become
DEFLATE = 8  # TIFF's number of zlib's compression
Strips = Iterable["Array"]  # of lines (lines, columns), from top to bottom


def write_mask(
    file: Path,
    lanes: Iterable[tuple[int, Strips]],
    size: tuple[int, int],
    dtype: "np.dtype[np.generic]",
) -> None:
    """Write a mask and coarser levels of it, each half as fine: every other pixel.

    Args:
        file: to write; compressed tiles lie beside it until all are there.
        lanes: all columns, in lanes that begin at a multiple of TILE: where, and their lines.
        size: (Y, X).
        dtype: uint8 or uint16.

    Raises:
        OSError: the disk refuses.
    """
    big = 2 * size[0] * size[1] * dtype.itemsize > CLASSIC
    with ExitStack() as open_levels:

        def level_of(size: tuple[int, int]) -> _Level:
            spool = file.with_name(f"{file.name}.{size[0]}x{size[1]}")
            return open_levels.enter_context(closing(_Level(spool, size, dtype)))

        level = level_of(size)
        for left, strips in lanes:
            level.add(left // TILE, strips)
        with tifffile.TiffWriter(file, bigtiff=big) as tiff:
            _write(tiff, level)
            while max(level.size) > TILE:
                finer, level = level, level_of((-(-level.size[0] // 2), -(-level.size[1] // 2)))
                level.halve(finer)
                finer.close()
                _write(tiff, level, coarser=True)


class _Level:
    """The compressed tiles of one resolution, in a file, in any order."""

    def __init__(self, spool: Path, size: tuple[int, int], dtype: "np.dtype[np.generic]") -> None:
        """Start with no tile of a mask of size (Y, X)."""
        self.size, self.dtype = size, dtype
        self._file, self._path = spool.open("w+b"), spool
        self._where: dict[tuple[int, int], tuple[int, int]] = {}

    @property
    def places(self) -> Iterator[tuple[int, int]]:
        """The tiles' rows and columns, row by row."""
        down, across = (range(-(-size // TILE)) for size in self.size)
        return itertools.product(down, across)

    def add(self, column: int, strips: Strips) -> None:
        """Take the lines of a lane that begins at a column of tiles."""
        for row, lines in enumerate(_of_height(strips)):
            for number in range(-(-lines.shape[1] // TILE)):
                self._put(row, column + number, lines[:, number * TILE :][:, :TILE])

    def halve(self, finer: "_Level") -> None:
        """Take every other pixel of a finer level."""
        half = TILE // 2
        for row, column in self.places:
            tile = np.zeros((TILE, TILE), self.dtype)
            for down, across in itertools.product(range(2), range(2)):
                part = finer.tile(2 * row + down, 2 * column + across)
                if part is not None:
                    own = tile[down * half :][:half, across * half :][:, :half]
                    own[:] = part[::2, ::2]
            self._put(row, column, tile)

    def tile(self, row: int, column: int) -> "Array | None":
        """Return the pixels of a tile; None: it is not in the mask."""
        if (row, column) not in self._where:
            return None
        pixels = zlib.decompress(self._stored(row, column))
        return np.frombuffer(pixels, self.dtype).reshape(TILE, TILE)

    def stored(self) -> Iterator[bytes]:
        """Yield all tiles, compressed, row by row."""
        for row, column in self.places:
            yield self._stored(row, column)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _stored(self, row: int, column: int) -> bytes:
        at, length = self._where[row, column]
        self._file.seek(at)
        return self._file.read(length)

    def _put(self, row: int, column: int, pixels: "Array") -> None:
        """Keep a tile at the end of the file, filled up with 0."""
        tile = np.zeros((TILE, TILE), self.dtype)
        tile[: pixels.shape[0], : pixels.shape[1]] = pixels
        data = zlib.compress(tile.data)
        self._where[row, column] = self._file.seek(0, 2), len(data)
        self._file.write(data)


def _of_height(strips: Strips) -> Iterator["Array"]:
    """Yield lines as many as a tile is high; the last may be fewer."""
    waiting: list[Array] = []
    for strip in strips:
        while len(strip):
            lacking = TILE - sum(map(len, waiting))
            waiting.append(strip[:lacking])
            strip = strip[lacking:]
            if len(waiting[-1]) == lacking:
                yield np.concatenate(waiting)
                waiting = []
    if waiting:
        yield np.concatenate(waiting)


def _write(tiff: tifffile.TiffWriter, level: _Level, *, coarser: bool = False) -> None:
    tiff.write(
        level.stored(),
        shape=level.size,
        dtype=level.dtype,
        tile=(TILE, TILE),
        compression=DEFLATE,
        photometric="minisblack",
        subfiletype=int(coarser),
        metadata=None,
    )
