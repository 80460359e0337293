"""The tiles or strips in which a TIFF stores a page, read and decoded a few at a time."""

from concurrent.futures import Executor
from typing import TYPE_CHECKING, cast

import numpy as np
from tifffile import FileHandle, TiffFrame, TiffPage

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

Decoded = tuple["Array | None", tuple[int, int, int, int, int], tuple[int, int, int, int]]
JPEG = (6, 7, 33007, 34892)  # whose tables lie beside the pieces
WHOLE_BYTES = (8, 16, 32, 64)


class Pieces:
    """A page of a TIFF.

    Attributes:
        chunk: lines that are stored together; 1 where each line can be read by itself.
        bytes: of the pieces that hold these lines, decoded.
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
        self._across, self._down = -(-self._size[1] // across), -(-self._size[0] // down)
        self._own: np.dtype[np.generic] = np.dtype(key.dtype)
        self._type = self._own.newbyteorder(page.parent.byteorder)
        self._plain = (
            not key.is_tiled
            and (key.compression, key.predictor, key.fillorder) == (1, 1, 1)
            and key.bitspersample in WHOLE_BYTES
        )
        self.chunk = 1 if self._plain else self._height
        line = self._size[1] * key.samplesperpixel * self._type.itemsize
        self.bytes = self.chunk * line

    @property
    def cut_off(self) -> bool:
        """Whether the file ends before the pixels do."""
        offsets, counts = self._page.dataoffsets, self._page.databytecounts
        missing = min(len(offsets), len(counts)) < self._across * self._down * self._planes
        end = max((at + size for at, size in zip(offsets, counts, strict=False)), default=0)
        return missing or bool(end > self._handle.size)

    def lines(self, top: int, bottom: int, threads: Executor) -> "Array":
        """Return lines (planes or samples, bottom - top, X)."""
        shape = (self._planes, bottom - top, self._size[1], self._samples)
        found = np.zeros(shape, dtype=self._own)
        rows = range(top // self._height, -(-bottom // self._height))
        if self._plain:
            for plane in range(self._planes):
                for row in rows:
                    self._fill_plain(found[plane], plane, row, top=top)
        else:
            indices = [
                (plane * self._down + row) * self._across + column
                for plane in range(self._planes)
                for row in rows
                for column in range(self._across)
            ]
            stored = [(self._stored(index), index) for index in indices]
            for decoded in threads.map(self._decoded, stored):
                _fill(found, decoded, top)
        return found.transpose(0, 3, 1, 2).reshape(-1, *shape[1:3])

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

    def _fill_plain(self, found: "Array", plane: int, row: int, *, top: int) -> None:
        """Copy lines that are neither compressed nor tiled."""
        first = max(top, row * self._height)
        last = min(top + len(found), (row + 1) * self._height, self._size[0])
        numbers = self._size[1] * self._samples
        begin = self._page.dataoffsets[plane * self._down + row]
        self._handle.seek(begin + (first - row * self._height) * numbers * self._type.itemsize)
        data = self._handle.read((last - first) * numbers * self._type.itemsize)
        values = np.frombuffer(data, dtype=self._type).reshape(last - first, *found.shape[1:])
        found[first - top : last - top] = values


def _fill(found: "Array", decoded: Decoded, top: int) -> None:
    """Copy the part of a decoded piece that lies in the lines (planes, lines, X, samples)."""
    piece, (plane, _, line, column, _), shape = decoded
    if piece is None:
        return
    height = min(shape[1], top + found.shape[1] - line)
    width = min(shape[2], found.shape[2] - column)
    begin = max(top - line, 0)
    part = piece[0, begin:height, :width]
    found[plane, line + begin - top : line + height - top, column : column + width] = part
