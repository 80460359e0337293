"""A TIFF of any size, read in strips: tiled, striped, BigTIFF, OME-TIFF, compressed or not."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from nnunet_vit.errors import DataError, first_line
from nnunet_vit.files.processors import usable_processors
from nnunet_vit.inference.large.source import Ends
from nnunet_vit.inference.large.tiff_pieces import Pieces
from nnunet_vit.quantities import bytes_text, sizes_text

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

MOST = 1 << 30  # bytes of the pieces that are decoded together
AXES = ("YX", "YXS", "SYX", "CYX")
TILED = "make a tiled TIFF of it: vips tiffsave IN OUT.tif --tile --compression deflate --bigtiff"


class TiffImage:
    """The finest resolution of a TIFF's first picture.

    Attributes:
        shape: (C, Y, X).
        chunk: lines that are stored together.
        wide: columns that are stored together.
        bytes: of a value.
        level: which of the picture's resolutions it is.
    """

    def __init__(self, file: Path) -> None:
        """Open it.

        Raises:
            DataError: it is damaged, holds no single picture, or cannot be read in parts.
        """
        try:
            self._tiff = tifffile.TiffFile(file)
            series = self._tiff.series[0]
        except Exception as error:  # tifffile's own classes, struct's, the system's
            reason = "it holds no picture" if isinstance(error, IndexError) else first_line(error)
            raise DataError(f"{file} cannot be read: {reason}.", fix="copy it again.") from error
        try:
            self._open(file, series)
        except BaseException:
            self._tiff.close()
            raise
        self._threads = ThreadPoolExecutor(usable_processors())

    def _open(self, file: Path, series: tifffile.TiffPageSeries) -> None:
        every = zip(series.axes, series.shape, strict=True)
        sizes = {axis: size for axis, size in every if size > 1 or axis in "YX"}
        axes = "".join(sizes)
        if axes not in AXES:
            raise DataError(
                f"{file} has the axes {axes} ({sizes_text(sizes.values())}); needed: one picture.",
                fix="save one picture per file, its channels as the axis S or C.",
            )
        self.shape = (sizes.get("S", sizes.get("C", 1)), sizes["Y"], sizes["X"])
        levels = len(series.levels)
        self.level = f"the finest of {levels} levels" if levels > 1 else ""
        pages = [page for page in series.pages if page is not None]
        pages = pages if axes == "CYX" and len(pages) == self.shape[0] else pages[:1]
        self._pieces = [Pieces(page, self._tiff.filehandle) for page in pages]
        self.chunk = max(pieces.chunk for pieces in self._pieces)
        self.wide = max(pieces.wide for pieces in self._pieces)
        self.bytes = series.dtype.itemsize
        if any(pieces.cut_off for pieces in self._pieces):
            raise DataError(f"{file} is cut off: it ends before its pixels do.", "copy it again.")
        together = max(pieces.bytes for pieces in self._pieces)
        if together > MOST:
            raise DataError(
                f"{file} is stored in pieces of {bytes_text(together)}, which cannot be read in "
                "parts.",
                fix=TILED,
            )

    def part(self, down: Ends, across: Ends) -> "Array":
        """Return the pixels (C, lines, columns) of a part in the file's own type."""
        parts = [pieces.part(down, across, self._threads) for pieces in self._pieces]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def close(self) -> None:
        """Close the file."""
        self._threads.shutdown()
        self._tiff.close()
