"""Pictures made larger or smaller for a view."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


def view_size(shape: Sequence[int], smallest: int, largest: int) -> tuple[int, int]:
    """Return height and width of a view of a picture.

    Args:
        shape: of the picture, (H, W).
        smallest: what a longer edge below it grows to at least, by a whole factor.
        largest: what a longer edge above it shrinks to.
    """
    longest = max(shape)
    factor: float = max(1, -(-smallest // longest))
    if longest > largest:
        factor = largest / longest
    height, width = (max(1, round(edge * factor)) for edge in shape)
    return height, width


def resized(picture: "Array", size: tuple[int, int]) -> "Array":
    """Return colours smoothed, and labels or what grows as they are.

    Shapes: (H, W, 3) uint8 or (H, W) to the size.
    """
    import numpy as np
    from PIL import Image

    if picture.ndim == 3 and size[0] < picture.shape[0]:
        smaller = Image.fromarray(picture).resize(size[::-1], Image.Resampling.BOX)
        return np.asarray(smaller)
    places = [
        ((np.arange(new) + 0.5) * old / new).astype(int)
        for new, old in zip(size, picture.shape[:2], strict=True)
    ]
    return picture[np.ix_(*places)]
