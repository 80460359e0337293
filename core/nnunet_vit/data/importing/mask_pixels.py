"""A mask's pixels as numbers or colours, before anything is known of classes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.mask_palettes import GREY, colours_used, packed
from nnunet_vit.data.importing.reading.pixels import Pixels, UnusableError

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

LARGEST = 1 << 24


@dataclass(frozen=True)
class MaskPixels:
    """The pixels of a mask.

    Attributes:
        keys: (Z, Y, X) int64: values, or numbers of a palette, or colours as 0xRRGGBB.
        coloured: whether they are colours.
        palette: colours as 0xRRGGBB by number, where they are numbers of a palette.
    """

    keys: "Array"
    coloured: bool = False
    palette: "Array | None" = None

    def by_colour(self) -> "Array":
        """Return colours (Z, Y, X); a value v between 0 and 255 is the grey #vvvvvv.

        Raises:
            UnusableError: a value is no grey.
        """
        if self.coloured:
            return self.keys
        if self.palette is not None:
            return self.palette[self.keys]
        if self.keys.size and (self.keys.min() < 0 or self.keys.max() > 255):
            raise UnusableError(
                "holds values beyond 255, which are no colours", "--label NAME=VALUE"
            )
        return self.keys * GREY

    def by_grey(self) -> "Array":
        """Return values (Z, Y, X): for numbers of a palette the grey of their colour."""
        return self.keys if self.palette is None else self.palette[self.keys] & 0xFF

    def foreground(self) -> "Array":
        """Return where a mask of one class is (Z, Y, X): what is not 0, or not black."""
        found: Array = (self.keys if self.palette is None else self.palette[self.keys]) != 0
        return found

    def used(self) -> dict[int, int]:
        """Return the colours that are somewhere, by their number; nothing without a palette."""
        return {} if self.palette is None else colours_used(self.keys, self.palette)


def mask_pixels_of(pixels: Pixels) -> MaskPixels:
    """Return the pixels of a mask; colours without any colour are values.

    Raises:
        UnusableError: the file changes values (JPEG), or they are no integers or no colours.
    """
    import numpy as np

    if pixels.lossy:
        raise UnusableError(
            "is a JPEG or likewise: its values are not those that were drawn",
            "masks without loss, like PNG: save them so from where they were drawn",
        )
    values = pixels.values
    if not values.size:
        raise UnusableError("has no pixels")
    if not np.issubdtype(values.dtype, np.integer):
        _check_whole(values)
    whole = values.astype(np.int64)
    if pixels.palette is not None:
        return MaskPixels(whole[0], palette=packed(np.moveaxis(pixels.palette, -1, 0)))
    if len(whole) == 1:
        return MaskPixels(whole[0])
    if len(whole) != 3 or values.dtype != np.uint8:
        raise UnusableError(
            f"has {len(whole)} channels of {values.dtype}", "one channel, or colours of 8 bits"
        )
    if (whole == whole[:1]).all():
        return MaskPixels(whole[0])
    return MaskPixels(packed(whole), coloured=True)


def _check_whole(values: "Array") -> None:
    """Refuse floats that are no integers.

    Raises:
        UnusableError: there are some.
    """
    import numpy as np

    if not np.isfinite(values).all():
        raise UnusableError("holds values that are not finite", "a label in their place")
    if (values != np.round(values)).any():
        raise UnusableError("holds fractions", "integers: threshold probabilities")
    if (abs(values) > LARGEST).any():
        raise UnusableError("holds values beyond all labels")
