"""A large image to a large mask: strips are read, their tiles predicted, their lines written."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import torch

from nnunet_vit.errors import NumericsError
from nnunet_vit.inference.large.lanes import lanes_of
from nnunet_vit.inference.large.normalizing import Change, normalized
from nnunet_vit.inference.large.source import Ends, Strips
from nnunet_vit.inference.large.whole_look import WholeLook
from nnunet_vit.inference.predicting.prepared_case import decided
from nnunet_vit.inference.tiling.grid import Grid, Region
from nnunet_vit.inference.tiling.window import SlidingWindow

if TYPE_CHECKING:
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    from nnunet_vit.files.array_type import Array

LINES = 64  # of a mask that are decided together


@dataclass(frozen=True)
class Reading:
    """Tiles of the cropped image, as the network takes them.

    Attributes:
        strips: of the image's columns that are read.
        look: where it is cropped.
        changes: that normalize its channels.
        padding: what is added to the cropped image, before and after each axis.
        done: holds how many tiles have been read.
        left: which column of the image the strips begin with.
    """

    strips: Strips
    look: WholeLook
    changes: Sequence[Change]
    padding: Sequence[tuple[int, int]]
    done: list[int]
    left: int = 0

    def of(self, region: Ends) -> "Reading":
        """Return what reads some columns (left, right) of the cropped image, from the top again."""
        begin = self.look.across[0]
        across = (begin + region[0], begin + region[1])
        return replace(self, strips=self.strips.within(across), left=across[0])

    def __call__(self, region: Region) -> torch.Tensor:
        """Return the pixels (C, *tile) of a region of the cropped and padded image."""
        down, across = (
            _inside(part, before, size)
            for part, (before, _), size in zip(region, self.padding, self.look.size, strict=True)
        )
        top, left = self.look.down[0], self.look.across[0] - self.left
        lines = self.strips.lines(top + down.start, top + down.stop)
        values = normalized(lines[:, :, left + across.start : left + across.stop], self.changes)
        ends = [
            (max(0, before - part.start), max(0, part.stop - before - size))
            for part, (before, _), size in zip(region, self.padding, self.look.size, strict=True)
        ]
        if any(map(any, ends)):
            values = np.pad(values, [(0, 0), *ends])
        self.done[0] += 1
        return torch.from_numpy(values)


def _inside(part: slice, before: int, size: int) -> slice:
    """Return a part of a padded axis as a part of the axis itself."""
    return slice(max(0, part.start - before), min(size, part.stop - before))


def mask_lanes(
    window: SlidingWindow,
    reading: Reading,
    labels: "LabelManager",
    *,
    dtype: "np.dtype[np.generic]",
) -> Iterator[tuple[int, Iterator["Array"]]]:
    """Yield the mask of the whole image in lanes: the first column, and strips (lines, columns).

    Args:
        window: slides.
        reading: of the image.
        labels: of the model.
        dtype: of the mask.

    Raises:
        NumericsError: the network's output is not finite.
    """
    look, (_, height, width) = reading.look, reading.strips.source.shape
    for left, right in lanes_of(width):
        inside = look.inside((left, right))
        if inside is None:
            yield left, _zeros(height, right - left, dtype)
            continue
        logits = window.rows(look.size, reading.of(window.grid.read(look.size, inside)), inside)
        own = slice(inside[0] + look.across[0] - left, inside[1] + look.across[0] - left)
        masks = _decided(logits, labels, dtype, name=reading.strips.name)
        yield (
            left,
            itertools.chain(
                _zeros(look.down[0], right - left, dtype),
                (_widened(mask, right - left, own) for mask in masks),
                _zeros(height - look.down[1], right - left, dtype),
            ),
        )


def tiles_of(grid: Grid, look: WholeLook, width: int) -> int:
    """Return how many tiles are predicted of an image, those on two lanes twice."""
    inside = (look.inside(lane) for lane in lanes_of(width))
    return sum(prod(map(len, grid.rows_on(look.size, own))) for own in inside if own)


def _decided(
    rows: Iterator[torch.Tensor],
    labels: "LabelManager",
    dtype: "np.dtype[np.generic]",
    *,
    name: str,
) -> Iterator["Array"]:
    """Yield masks (lines, columns) of logits; few lines at a time are in float32."""
    for logits in itertools.chain.from_iterable(torch.split(row, LINES, dim=1) for row in rows):
        if not bool(torch.isfinite(logits).all()):
            raise NumericsError(f"{name}: the network's output is not finite: no mask is written.")
        mask = np.zeros(logits.shape[1:], dtype)
        decided((one.cpu().float() for one in logits), labels, mask)
        yield mask


def _widened(mask: "Array", width: int, own: slice) -> "Array":
    """Return lines so wide that hold a mask at its own columns, and else 0."""
    whole = np.zeros((len(mask), width), mask.dtype)
    whole[:, own] = mask
    return whole


def _zeros(height: int, width: int, dtype: "np.dtype[np.generic]") -> Iterator["Array"]:
    """Yield lines of 0, few at a time."""
    for top in range(0, height, LINES):
        yield np.zeros((min(LINES, height - top), width), dtype)
