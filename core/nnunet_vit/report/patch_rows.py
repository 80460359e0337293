"""A picture of training patches: as they were cut out, augmented, and with their masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnunet_vit.report.overlay import (
    GAP,
    LEAST_EDGE,
    WHITE,
    Legend,
    as_rgb,
    legend_lines,
    outlined,
    present_labels,
    titled_view,
)

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


@dataclass(frozen=True)
class ShownPatch:
    """A patch before and after its augmentation.

    Attributes:
        case: that it was cut from.
        image: as it was cut out, (H, W, C), in 0 to 255 or in any range.
        mask: of it, (H, W).
        augmented: the image that the network gets, in the same range.
        augmented_mask: the mask that it is trained with.
    """

    case: str
    image: "Array"
    mask: "Array"
    augmented: "Array"
    augmented_mask: "Array"


def patches_picture(patches: Sequence[ShownPatch], legend: Legend) -> "Array":
    """Return a row of four views per patch, and the legend.

    Shapes: the picture is (height, width, 3) uint8.
    """
    import numpy as np

    rows = [_row(patch, legend) for patch in patches]
    width = max(row.shape[1] for row in rows)
    masks = [mask for patch in patches for mask in (patch.mask, patch.augmented_mask)]
    present = {int(label) for mask in masks for label in np.unique(mask)}
    entries = present_labels(legend, present)
    return np.concatenate([*rows, legend_lines(width, entries)], axis=0)


def _row(patch: ShownPatch, legend: Legend) -> "Array":
    import numpy as np

    before, after = _in_one_range(patch.image, patch.augmented)
    factor = max(1, -(-LEAST_EDGE // max(patch.mask.shape)))
    views = []
    for title, image, mask in (
        (patch.case, before, patch.mask),
        ("augmented", after, patch.augmented_mask),
    ):
        large, large_mask = (
            each.repeat(factor, axis=0).repeat(factor, axis=1) for each in (image, mask)
        )
        views.append(titled_view(large, title))
        views.append(titled_view(outlined(large, large_mask, legend), f"{title}, mask"))
    gap = np.full((views[0].shape[0], GAP, 3), WHITE, np.uint8)
    return np.concatenate([part for view in views for part in (view, gap)][:-1], axis=1)


def _in_one_range(image: "Array", augmented: "Array") -> "tuple[Array, Array]":
    """Return both in red, green and blue, stretched alike: brighter stays brighter."""
    import numpy as np

    both = as_rgb(np.concatenate([image, augmented], axis=0))
    return both[: len(image)], both[len(image) :]
