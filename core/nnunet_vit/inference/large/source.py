"""What every kind of large image gives: its size and one part of its pixels at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.errors import DataError, UserError, message_of
from nnunet_vit.quantities import shape_text

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

ON_SAME_PIXELS = "the channels of a case must lie on the same pixels"
PIECE = 1 << 23  # values that are looked at together
DECODED = 1 << 24  # bytes of stored pieces that are decoded together
MOST_COLUMNS = 8192  # that are read and predicted together: what memory depends on
Ends = tuple[int, int]  # half open


class Source(Protocol):
    """An image that is read in parts.

    Attributes:
        shape: (C, Y, X).
        chunk: lines that are stored together; strips that begin and end there are read once.
        wide: columns that are stored together.
        bytes: of a value.
        level: which of the image's resolutions it is, in words; empty where there is one.
    """

    shape: tuple[int, int, int]
    chunk: int
    wide: int
    bytes: int
    level: str

    def part(self, down: Ends, across: Ends) -> "Array":
        """Return the pixels (C, lines, columns) of a part in the file's own type."""

    def close(self) -> None:
        """Close the file."""


class Stacked:
    """Files of single channels as one image; their sizes must be the same."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Take the channels of all sources in their order."""
        first = sources[0]
        self.shape = (sum(source.shape[0] for source in sources), *first.shape[1:])
        self.chunk = max(source.chunk for source in sources)
        self.wide = max(source.wide for source in sources)
        self.bytes, self.level = max(source.bytes for source in sources), first.level
        self._sources = sources

    def other_size(self, files: Sequence[Path]) -> FileFault | None:
        """Return the fault of the first of the sources' files that has another size, or None."""
        for file, source in zip(files, self._sources, strict=True):
            if source.shape[1:] != self.shape[1:]:
                own, first = ((1, *shape[1:]) for shape in (source.shape, self.shape))
                problem = f"is {shape_text(own)}, {files[0].name} {shape_text(first)}"
                return FileFault(file, problem, ON_SAME_PIXELS)
        return None

    def part(self, down: Ends, across: Ends) -> "Array":
        """Return the pixels (C, lines, columns) of a part."""
        import numpy as np

        return np.concatenate([source.part(down, across) for source in self._sources])

    def close(self) -> None:
        """Close the files."""
        for source in self._sources:
            source.close()


class Strips:
    """A source whose stored pieces are decoded once while it is read from top to bottom.

    It is closed at the end of a `with`.
    """

    def __init__(self, source: Source, name: str, across: Ends | None = None) -> None:
        """Read some columns of a source, or all; errors call it by its name."""
        self.source, self.name = source, name
        self._across = across or (0, source.shape[2])
        self._kept: Array | None = None
        self._top = 0

    def __enter__(self) -> "Strips":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the source."""
        self.source.close()

    def within(self, across: Ends) -> "Strips":
        """Return the same image's columns (left, right), which are read from the top again."""
        return Strips(self.source, self.name, across)

    def all(self) -> Iterator[tuple[int, int, "Array"]]:
        """Yield all pixels in parts (C, lines, columns), each with its first line and column.

        Parts come from top to bottom, those on the same lines from left to right. Where whole
        lines are stored together, a part is as wide as the image: they are decoded once.
        """
        channels, height, width = self.source.shape
        chunk, wide = self.source.chunk, min(width, max(MOST_COLUMNS, self.source.wide))
        count = max(1, PIECE // (channels * wide * chunk)) * chunk
        for top in range(0, height, count):
            for left in range(0, width, wide):
                ends = (left, min(left + wide, width))
                yield top, left, self._read((top, min(top + count, height)), ends)

    def lines(self, top: int, bottom: int) -> "Array":
        """Return lines (C, bottom - top, columns); those above are not asked for again.

        Raises:
            DataError: the file is damaged.
        """
        end = 0 if self._kept is None else self._top + self._kept.shape[1]
        if self._kept is None or not self._top <= top <= end:  # nothing of it is there
            self._kept, self._top, end = None, *[top // self.source.chunk * self.source.chunk] * 2
        if bottom > end:
            self._extend(top, end, bottom)
        assert self._kept is not None
        return self._kept[:, top - self._top : bottom - self._top]

    def _extend(self, top: int, end: int, bottom: int) -> None:
        """Keep the pieces from a line on; read those that are not there up to another line."""
        import numpy as np

        chunk, height = self.source.chunk, self.source.shape[1]
        stop = min(-(-bottom // chunk) * chunk, height)
        read = self._read((end, stop), self._across)
        if self._kept is not None:
            first = top // chunk * chunk
            read = np.concatenate([self._kept[:, first - self._top :], read], axis=1)
            self._top = first
        self._kept = read

    def _read(self, down: Ends, across: Ends) -> "Array":
        try:
            return self.source.part(down, across)
        except (UserError, MemoryError):
            raise
        except Exception as error:  # whatever a decoder raises on somebody's file
            raise DataError(
                f"{self.name} cannot be read to its end: {message_of(error, 200)}.",
                fix="copy it again.",
            ) from error
