"""One look at all pixels of a large image, strip by strip: where they are not 0, mean and spread.

nnU-Net crops an image to what is not 0 and normalizes it by the numbers of what is left.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nnunet_vit.errors import DataError
from nnunet_vit.inference.large.source import Ends, Strips

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

TOGETHER = 1 << 22  # values that are summed at once, in double precision


@dataclass
class Numbers:
    """Of the values of a channel.

    Attributes:
        count: of values.
        mean: of them, in double precision.
        squares: sum of their squared differences to it.
        low: the least.
        high: the highest.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    @property
    def deviation(self) -> float:
        """The standard deviation."""
        return float(np.sqrt(self.squares / max(1, self.count)))

    def add(self, values: "Array") -> None:
        """Take in more values, few enough for double precision."""
        if not values.size:
            return
        own = values.astype(np.float64)
        self.low, self.high = min(self.low, own.min()), max(self.high, own.max())
        mean = own.mean()
        own -= mean
        squares, count = float(np.vdot(own, own)), self.count + own.size
        apart = float(mean) - self.mean  # Chan's way of joining two groups
        self.squares += squares + apart**2 * self.count * own.size / count
        self.mean += apart * own.size / count
        self.count = count


@dataclass(frozen=True)
class WholeLook:
    """What nnU-Net's preprocessing needs to know of all pixels.

    Attributes:
        down: the lines that are left after cropping.
        across: the columns that are left.
        channels: numbers of what is left.
    """

    down: Ends
    across: Ends
    channels: list[Numbers] = field(repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """(Y, X) after cropping."""
        return self.down[1] - self.down[0], self.across[1] - self.across[0]

    def inside(self, columns: Ends) -> Ends | None:
        """Return which columns of the cropped image are among some of the whole one."""
        first, last = (min(max(end, self.across[0]), self.across[1]) for end in columns)
        return (first - self.across[0], last - self.across[0]) if first < last else None


def look_through(strips: Strips, masked: Sequence[bool], seen: list[int]) -> WholeLook:
    """Return what there is to know.

    Args:
        strips: the image; it is read from top to bottom, twice where there is something to crop.
        masked: for each channel, whether only pixels count that are not 0 in every channel.
        seen: holds how many lines have been looked at.

    Raises:
        DataError: values are not finite, or the file is damaged.
    """
    _, height, width = strips.source.shape
    lines, columns = np.zeros(height, bool), np.zeros(width, bool)
    channels = [Numbers() for _ in masked]
    for top, left, part in strips.all():
        _check_finite(part, strips.name)
        there = (part != 0).any(axis=0)
        lines[top : top + there.shape[0]] |= there.any(axis=1)
        columns[left : left + there.shape[1]] |= there.any(axis=0)
        _add(channels, part, masked)
        seen[0] = top + len(there)
    down, across = _ends(lines), _ends(columns)
    if (down, across) != ((0, height), (0, width)):
        channels = _within(strips, masked, down, across)
    return WholeLook(down, across, channels)


def _within(strips: Strips, masked: Sequence[bool], down: Ends, across: Ends) -> list[Numbers]:
    channels = [Numbers() for _ in masked]
    for top, left, part in strips.all():
        lines, columns = (
            slice(max(first - at, 0), max(last - at, 0))
            for at, (first, last) in ((top, down), (left, across))
        )
        _add(channels, part[:, lines, columns], masked)
    return channels


def _add(channels: list[Numbers], strip: "Array", masked: Sequence[bool]) -> None:
    for part in _parts(strip):
        there = (part != 0).any(axis=0) if any(masked) else None
        for numbers, values, mask in zip(channels, part, masked, strict=True):
            numbers.add(values[there] if mask else values)


def _parts(strip: "Array") -> Iterator["Array"]:
    """Yield lines of a strip (C, lines, X), a few at a time."""
    lines = max(1, TOGETHER // max(1, strip.shape[2]))
    for first in range(0, strip.shape[1], lines):
        yield strip[:, first : first + lines]


def _ends(there: "Array") -> Ends:
    """Return where it begins and ends; all of it where there is nothing, as nnU-Net does."""
    (found,) = np.nonzero(there)
    return (int(found[0]), int(found[-1]) + 1) if len(found) else (0, len(there))


def _check_finite(strip: "Array", name: str) -> None:
    if np.issubdtype(strip.dtype, np.floating) and not np.isfinite(strip).all():
        raise DataError(
            f"{name} holds values that are not finite (NaN).", fix="write numbers there."
        )
