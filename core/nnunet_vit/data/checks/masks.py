"""The one reader of masks, for training, evaluation and overlays: what nnU-Net would hide is seen.

nnU-Net compares each pixel with each label: 255 in place of 1 is a wrong Dice, and three colour
channels are three masks, without a word.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nnunet_vit.data.checks.label_values import counted_values, not_finite, rescaled, wrong_values
from nnunet_vit.data.checks.nifti_header import hidden_numbers
from nnunet_vit.data.checks.raster_reading import PICTURES, Raster, bands_of, read
from nnunet_vit.data.checks.stored_pixels import PALETTE, oddity_of
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.labels import Labels
from nnunet_vit.files.integrity import is_jpeg
from nnunet_vit.quantities import shape_text, sizes_text

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

UNKNOWN = 999  # nnU-Net's spacing of slices where a file has no third axis


class Placed(Protocol):
    """What lies somewhere: a mask, or the facts of an image."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(Z, Y, X)."""

    @property
    def spacing(self) -> tuple[float, ...] | None:
        """(Z, Y, X), or None where nothing says it."""

    @property
    def placement(self) -> tuple[float, ...]:
        """Origin and direction, empty where the format has none."""


@dataclass(frozen=True)
class MaskFacts:
    """What a look at a sound mask told.

    Attributes:
        file: the mask.
        shape: (Z, Y, X); Z is 1 for a picture.
        spacing: (Z, Y, X), or None where nothing says it.
        placement: origin and direction, empty where the format has none.
        present: the labels that it holds, sorted.
        pixels: how many pixels each of them has.
    """

    file: Path
    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    placement: tuple[float, ...]
    present: tuple[int, ...] = ()
    pixels: tuple[int, ...] = ()


def look_at_mask(
    file: Path, reader: "type[BaseReaderWriter]", ending: str, *, labels: Labels
) -> MaskFacts | FileFault:
    """Return shape and spacing of a mask, or the first thing that makes it none.

    Args:
        file: the mask.
        reader: nnU-Net's, as `reader_for` returns it.
        ending: file_ending of dataset.json.
        labels: what it may hold.
    """
    raster = read_mask(file, reader, ending)
    return (
        raster
        if isinstance(raster, FileFault)
        else facts_of_mask(file, raster, ending, labels=labels)
    )


def facts_of_mask(
    file: Path, raster: Raster, ending: str, *, labels: Labels
) -> MaskFacts | FileFault:
    """Return what `look_at_mask` does of a mask that has been read."""
    found = counted_values(raster.values)
    problem, remedy = wrong_values(list(found), labels)
    if problem:
        odd, again = oddity_of(file, ending.lower(), (PALETTE,))
        if odd:  # what its numbers would become is not what programs show
            return FileFault(file, f"{problem}; it {odd}", f"{again}, and check once more")
        return FileFault(file, problem, rescaled(file, raster.values) or remedy)
    present, pixels = tuple(map(int, found)), tuple(found.values())
    return MaskFacts(
        file, raster.values.shape[1:], raster.spacing, raster.placement, present, pixels
    )


def read_mask(file: Path, reader: "type[BaseReaderWriter]", ending: str) -> Raster | FileFault:
    """Return a mask of one channel, whatever its values, or why it is none."""
    raster = read(file, reader, ending, "mask")
    if isinstance(raster, FileFault):
        return raster
    if is_jpeg(file):
        return FileFault(
            file,
            f"is a JPEG named {ending}, whose compression changes labels",
            f"save the mask again, without loss, as {ending}",
        )
    if len(raster.values) != 1:
        return FileFault(file, *_too_many_channels(file, raster, reader.__name__))
    if hidden := hidden_numbers(file, ending, reader.__name__):
        return FileFault(file, *not_finite(hidden))
    return raster


def lies_elsewhere(one: Placed, other: Placed, *, relative: float, absolute: float) -> bool:
    """Tell whether masks, or an image and its mask, differ in origin or direction.

    Args:
        one: has a `placement`; formats without one lie nowhere else.
        other: likewise.
        relative: difference that is none.
        absolute: difference that is none.
    """
    import numpy as np

    if len(one.placement) != len(other.placement) or one.placement == other.placement:
        return False
    return not np.allclose(one.placement, other.placement, rtol=relative, atol=absolute)


def compare(mask: MaskFacts, other: Placed, name: str, *, tolerance: float) -> FileFault | None:
    """Return the fault of a mask that does not lie on the pixels of what it belongs to.

    Args:
        mask: to blame.
        other: has `shape` and `spacing` likewise: another mask, or the facts of an image.
        name: what the other is called in the message.
        tolerance: relative difference of spacings that is none.
    """
    import numpy as np

    if tuple(mask.shape) != tuple(other.shape):
        return FileFault(
            mask.file,
            f"is {shape_text(mask.shape)}, {name} {shape_text(other.shape)}",
            "both must have the same size; resize masks with nearest neighbour",
        )
    if mask.spacing is None or other.spacing is None:
        return None
    flat = mask.shape[0] == 1 and UNKNOWN in (mask.spacing[0], other.spacing[0])
    compared = slice(1 if flat else 0, None)
    if not np.allclose(mask.spacing[compared], other.spacing[compared], rtol=tolerance):
        return FileFault(
            mask.file,
            f"has spacing {sizes_text(mask.spacing)}, {name} {sizes_text(other.spacing)}",
            "copy the spacing of the one that is right",
        )
    return None


def _too_many_channels(file: Path, raster: Raster, reader: str) -> tuple[str, str]:
    import numpy as np

    count = len(raster.values)
    if reader != PICTURES:
        return f"has {count} volumes, a mask has one", "save each in a file of its own"
    if bands_of(file) == "P":
        return (
            f"is a palette picture, which nnU-Net reads as {count} colour channels; a mask has one",
            "save its indices as grey, with Pillow: "
            "Image.fromarray(np.array(Image.open(FILE))).save(FILE)",
        )
    colours = f"has {count} colour channels, a mask has one"
    if np.array_equal(raster.values[0], raster.values[1]):
        return colours, "its colours are equal: save one of them as grey"
    return colours, "save a grey picture with the number of its class in each pixel"
