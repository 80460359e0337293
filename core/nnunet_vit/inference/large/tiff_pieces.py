"""The tiles or strips in which a TIFF stores a page, read and decoded a few at a time."""

import itertools
from collections.abc import Iterator
from concurrent.futures import Executor
from typing import TYPE_CHECKING, cast

import numpy as np
from tifffile import FileHandle, TiffFrame, TiffPage

from nnunet_vit.inference.large.source import DECODED, Ends

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

Decoded = tuple["Array | None", tuple[int, int, int, int, int], tuple[int, int, int, int]]
JPEG = (6, 7, 33007, 34892)  # whose tables lie beside the pieces
WHOLE_BYTES = (8, 16, 32, 64)


class Pieces:
    """A page of a TIFF.

    Attributes:
        chunk: lines that are stored together; 1 where each line can be read by itself.
        wide: columns that are stored together; 1 likewise.
        bytes: of such a piece, decoded.
    """

    def __init__(self, page: TiffPage | TiffFrame, handle: FileHandle) -> None:
        """Take a page of tifffile's, and its file."""
        key = cast(TiffPage, page.keyframe)
        self._page, self._key, self._handle = page, key, handle
        self._size = (key.imagelength, key.imagewidth)
        self._planes = key.samplesperpixel if key.planarconfig == 2 else 1
        self._samples = key.samplesperpixel // self._planes
        down = key.tilelength if key.is_tiled else key.rowsperstrip
        across = key.tilewidth if key.is_tiled else key.imagewidth
        self._height = min(down, self._size[0]) if not key.is_tiled else down
        self._width = across
        self._across, self._down = -(-self._size[1] // across), -(-self._size[0] // down)
        self._own: np.dtype[np.generic] = np.dtype(key.dtype)
        self._type = self._own.newbyteorder(page.parent.byteorder)
        self._plain = (
            not key.is_tiled
            and (key.compression, key.predictor, key.fillorder) == (1, 1, 1)
            and key.bitspersample in WHOLE_BYTES
        )
        self.chunk, self.wide = (1, 1) if self._plain else (self._height, across)
        self.bytes = self.chunk * self.wide * self._samples * self._type.itemsize

    @property
    def cut_off(self) -> bool:
        """Whether the file ends before the pixels do."""
        offsets, counts = self._page.dataoffsets, self._page.databytecounts
        missing = min(len(offsets), len(counts)) < self._across * self._down * self._planes
        end = max((at + size for at, size in zip(offsets, counts, strict=False)), default=0)
        return missing or bool(end > self._handle.size)

    def part(self, down: Ends, across: Ends, threads: Executor) -> "Array":
        """Return the pixels (planes or samples, lines, columns) of a part."""
        shape = (self._planes, down[1] - down[0], across[1] - across[0], self._samples)
        found = np.zeros(shape, dtype=self._own)
        if self._plain:
            for plane, line in itertools.product(range(self._planes), range(*down)):
                found[plane, line - down[0]] = self._plain_line(plane, line, across)
        else:
            for group in _groups(self._indices(down, across), max(1, DECODED // self.bytes)):
                stored = [(self._stored(index), index) for index in group]
                for decoded in threads.map(self._decoded, stored):
                    _fill(found, decoded, down[0], across[0])
        return found.transpose(0, 3, 1, 2).reshape(-1, *shape[1:3])

    def _indices(self, down: Ends, across: Ends) -> Iterator[int]:
        """Yield the numbers of the pieces that a part lies on."""
        rows = range(down[0] // self._height, -(-down[1] // self._height))
        columns = range(across[0] // self._width, -(-across[1] // self._width))
        for plane, row, column in itertools.product(range(self._planes), rows, columns):
            yield (plane * self._down + row) * self._across + column

    def _stored(self, index: int) -> bytes | None:
        """Return a piece as it lies in the file; None: it was left out, and is 0."""
        at, size = self._page.dataoffsets[index], self._page.databytecounts[index]
        if not (at and size):
            return None
        self._handle.seek(at)
        return bytes(self._handle.read(size))

    def _decoded(self, stored: tuple[bytes | None, int]) -> Decoded:
        data, index = stored
        if self._key.compression not in JPEG:
            return self._key.decode(data, index)
        tables, header = self._page.jpegtables, self._key.jpegheader
        return self._key.decode(data, index, jpegtables=tables, jpegheader=header)

    def _plain_line(self, plane: int, line: int, across: Ends) -> "Array":
        """Return columns (columns, samples) of a line that is neither compressed nor tiled."""
        row, within = divmod(line, self._height)
        pixel = self._samples * self._type.itemsize
        begin = self._page.dataoffsets[plane * self._down + row]
        self._handle.seek(begin + (within * self._size[1] + across[0]) * pixel)
        data = self._handle.read((across[1] - across[0]) * pixel)
        return np.frombuffer(data, dtype=self._type).reshape(-1, self._samples)


def _groups(indices: Iterator[int], most: int) -> Iterator[list[int]]:
    while group := list(itertools.islice(indices, most)):
        yield group


def _fill(found: "Array", decoded: Decoded, top: int, left: int) -> None:
    """Copy what a decoded piece holds of a part (planes, lines, columns, samples)."""
    piece, (plane, _, line, column, _), shape = decoded
    if piece is None:
        return
    (into, of), (onto, by) = (
        _overlap(at, size, origin, end)
        for at, size, origin, end in zip(
            (line, column), shape[1:3], (top, left), found.shape[1:3], strict=True
        )
    )
    found[plane, into, onto] = piece[0, of, by]


def _overlap(at: int, size: int, begin: int, length: int) -> tuple[slice, slice]:
    """Return where a piece and a part share an axis: in the part, and in the piece."""
    first, last = max(at, begin), min(at + size, begin + length)
    return slice(first - begin, last - begin), slice(first - at, last - at)
