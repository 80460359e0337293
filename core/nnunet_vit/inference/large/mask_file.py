"""A mask as a tiled pyramidal TIFF, written from top to bottom while it is made."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import tifffile

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

TILE = 512
CLASSIC = 3 * 10**9  # bytes of pixels; more of them get a BigTIFF, however small they become
DEFLATE = 8  # TIFF's number of zlib's compression


def write_mask(
    file: Path, strips: Iterator["Array"], size: tuple[int, int], dtype: "np.dtype[np.generic]"
) -> None:
    """Write a mask and coarser levels of it, each half as fine: every other pixel.

    Args:
        file: to write; coarser levels lie beside it until they are added.
        strips: of lines (lines, X), all of them in their order.
        size: (Y, X).
        dtype: uint8 or uint16.

    Raises:
        OSError: the disk refuses.
    """
    levels = _levels(file, size, dtype)
    big = 2 * size[0] * size[1] * dtype.itemsize > CLASSIC
    try:
        with tifffile.TiffWriter(file, bigtiff=big) as tiff:
            _write(tiff, _tiles_of(strips, levels), size, dtype)
            for level in levels:
                _write(tiff, level.tiles(), level.size, dtype, coarser=True)
    finally:
        for level in levels:
            level.close()


class _Level:
    """A coarser level, which gets its lines while the one above it is written."""

    def __init__(self, spool: Path, size: tuple[int, int], below: "list[_Level]") -> None:
        """Keep its tiles in a file, and hand every other pixel to the levels below."""
        self.size, self._below = size, below
        self._spool: BinaryIO = spool.open("w+b")
        self._path, self._lengths = spool, list[int]()
        self._waiting: list[Array] = []

    def add(self, lines: "Array") -> None:
        """Take the next lines (lines, X)."""
        self._waiting.append(lines)
        if sum(map(len, self._waiting)) >= TILE:
            self._flush()

    def tiles(self) -> Iterator[bytes]:
        """Yield all its tiles, compressed."""
        self._flush()
        self._spool.seek(0)
        for length in self._lengths:
            yield self._spool.read(length)

    def close(self) -> None:
        """Remove the file."""
        self._spool.close()
        self._path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self._waiting:
            return
        strip = np.concatenate(self._waiting)
        self._waiting = []
        for tile in _compressed(strip):
            self._lengths.append(len(tile))
            self._spool.write(tile)
        for level in self._below[:1]:
            level.add(_coarser(strip))


def _levels(file: Path, size: tuple[int, int], dtype: "np.dtype[np.generic]") -> list[_Level]:
    """Return the levels, the finest first, until one tile holds it all."""
    sizes = []
    while max(size) > TILE:
        size = (-(-size[0] // 2), -(-size[1] // 2))
        sizes.append(size)
    found: list[_Level] = []
    for number, own in reversed(list(enumerate(sizes, start=1))):
        spool = file.with_name(f"{file.name}.level{number}")
        found = [_Level(spool, own, found), *found]
    return found


def _tiles_of(strips: Iterator["Array"], levels: list[_Level]) -> Iterator[bytes]:
    """Yield the compressed tiles of lines that come in strips of any height."""
    for strip in _of_height(strips, TILE):
        for level in levels[:1]:
            level.add(_coarser(strip))
        yield from _compressed(strip)


def _of_height(strips: Iterator["Array"], height: int) -> Iterator["Array"]:
    waiting: list[Array] = []
    for strip in strips:
        waiting.append(strip)
        while sum(map(len, waiting)) >= height:
            whole = np.concatenate(waiting)
            yield whole[:height]
            waiting = [whole[height:]]
    rest = np.concatenate(waiting)
    if len(rest):
        yield rest


def _coarser(strip: "Array") -> "Array":
    return strip[::2, ::2].copy()


def _compressed(strip: "Array") -> Iterator[bytes]:
    """Yield the tiles of at most as many lines as one is high, filled up with 0."""
    lines, width = strip.shape
    for left in range(0, width, TILE):
        tile = np.zeros((TILE, TILE), strip.dtype)
        part = strip[:, left : left + TILE]
        tile[:lines, : part.shape[1]] = part
        yield zlib.compress(tile.tobytes())


def _write(
    tiff: tifffile.TiffWriter,
    tiles: Iterator[bytes],
    size: tuple[int, int],
    dtype: "np.dtype[np.generic]",
    *,
    coarser: bool = False,
) -> None:
    tiff.write(
        tiles,
        shape=size,
        dtype=dtype,
        tile=(TILE, TILE),
        compression=DEFLATE,
        photometric="minisblack",
        subfiletype=int(coarser),
        metadata=None,
    )
