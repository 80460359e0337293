"""A large image to a large mask: strips are read, their tiles predicted, their lines written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from nnunet_vit.errors import NumericsError
from nnunet_vit.inference.large.normalizing import Change, normalized
from nnunet_vit.inference.large.source import Strips
from nnunet_vit.inference.large.whole_look import WholeLook
from nnunet_vit.inference.predicting.prepared_case import decided
from nnunet_vit.inference.tiling.grid import Region
from nnunet_vit.inference.tiling.window import SlidingWindow

if TYPE_CHECKING:
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    from nnunet_vit.files.array_type import Array


@dataclass(frozen=True)
class Reading:
    """Tiles of the cropped image, as the network takes them.

    Attributes:
        strips: of the whole image.
        look: where it is cropped.
        changes: that normalize its channels.
        padding: what is added to the cropped image, before and after each axis.
        done: holds how many tiles have been read.
    """

    strips: Strips
    look: WholeLook
    changes: Sequence[Change]
    padding: Sequence[tuple[int, int]]
    done: list[int]

    def __call__(self, region: Region) -> torch.Tensor:
        """Return the pixels (C, *tile) of a region of the cropped and padded image."""
        down, across = (
            _inside(part, before, size)
            for part, (before, _), size in zip(region, self.padding, self.look.size, strict=True)
        )
        top, left = self.look.down[0], self.look.across[0]
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


def mask_strips(
    window: SlidingWindow,
    reading: Reading,
    labels: "LabelManager",
    *,
    dtype: "np.dtype[np.generic]",
) -> Iterator["Array"]:
    """Yield the mask of the whole image in strips (lines, X).

    Args:
        window: slides.
        reading: of the image.
        labels: of the model.
        dtype: of the mask.

    Raises:
        NumericsError: the network's output is not finite.
    """
    look, (_, height, width) = reading.look, reading.strips.source.shape
    yield np.zeros((look.down[0], width), dtype)
    for logits in window.rows(look.size, reading):
        if not bool(torch.isfinite(logits).all()):
            raise NumericsError(
                f"{reading.strips.name}: the network's output is not finite: no mask is written."
            )
        strip = np.zeros((logits.shape[1], width), dtype)
        decided((one.cpu().float() for one in logits), labels, strip[:, slice(*look.across)])
        yield strip
    yield np.zeros((height - look.down[1], width), dtype)
