"""One look at the files of each case: sizes, channels, values of the masks, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.label_values import not_finite
from nnunet_vit.data.checks.nifti_header import hidden_numbers
from nnunet_vit.data.checks.raster_reading import ITK
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.importing.mask_pixels import MaskPixels, mask_pixels_of
from nnunet_vit.data.importing.overlapping import check_binary, combined
from nnunet_vit.data.importing.reading.any_pixels import Reading, read_pixels
from nnunet_vit.data.importing.reading.pixels import Pixels, Placement, UnusableError
from nnunet_vit.data.importing.source_cases import SourceCase
from nnunet_vit.data.naming import ending_of
from nnunet_vit.quantities import shape_text

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

ONTO_GRID = (
    "resample it onto the grid of that image, a mask with nearest neighbour; copy the header "
    "alone only where the file's own is known to be wrong"
)
SPACING, DIRECTION, ORIGIN = 1e-4, 1e-3, 1e-2  # relative; absolute; share of the spacing


@dataclass(frozen=True)
class FileFacts:
    """What an image or a mask is.

    Attributes:
        file: it.
        shape: (C, Z, Y, X).
        kind: type of its values, as numpy names it.
        placement: None for pictures.
        done: what was done to what is stored, in words.
        as_stored: whether nnU-Net reads these values from the file itself.
        modality: what the file says that it is of.
    """

    file: Path
    shape: tuple[int, ...]
    kind: str
    placement: Placement | None
    done: tuple[str, ...]
    as_stored: bool
    modality: str = ""


@dataclass(frozen=True)
class CaseFacts:
    """What the files of a case are.

    Attributes:
        case: it.
        images: in the order of the files.
        masks: by class.
        counts: pixels by value or colour of its mask, or by combination of classes.
        coloured: whether the values are colours.
        palette: of a mask whose values are numbers of a palette, the colours in it by number.
        faults: what is wrong.
    """

    case: SourceCase
    images: tuple[FileFacts, ...] = ()
    masks: Mapping[str, FileFacts] = field(default_factory=dict)
    counts: Mapping[int, int] = field(default_factory=dict)
    coloured: bool = False
    palette: Mapping[int, int] = field(default_factory=dict)
    faults: tuple[FileFault, ...] = ()

    @property
    def channels(self) -> int:
        """Channels of all images together."""
        return sum(image.shape[0] for image in self.images)


@dataclass(frozen=True)
class Looking:
    """How cases are looked at.

    Attributes:
        reading: what files do not say themselves.
        coloured: whether --label names colours.
        classes: that have masks of their own; empty: one mask per case.
    """

    reading: Reading
    coloured: bool
    classes: tuple[str, ...]

    def at(self, case: SourceCase) -> CaseFacts:
        """Return what a case's files are."""
        images = [read_image(file, self.reading) for file in case.images]
        faults = [each for each in images if isinstance(each, FileFault)]
        sound = [each for each in images if isinstance(each, Pixels)]
        masks: dict[str, MaskPixels] = {}
        of_masks: dict[str, FileFacts] = {}
        for name, file in case.masks.items():
            pixels = read_pixels(file, self.reading)
            read = self._mask(file, pixels)
            if isinstance(read, FileFault) or isinstance(pixels, FileFault):
                faults += [read] if isinstance(read, FileFault) else []
                continue
            masks[name], of_masks[name] = read, _facts(file, pixels)
        if len(sound) < len(case.images):
            return CaseFacts(case, faults=tuple(faults))
        facts = tuple(map(_facts, case.images, sound))
        faults += _misfits(facts, of_masks)
        if faults or not case.masks:
            return CaseFacts(case, facts, of_masks, faults=tuple(faults))
        coloured = self.coloured or any(mask.coloured for mask in masks.values())
        if self.classes:
            keys = combined(masks, self.classes, facts[0].shape[1:])
            return CaseFacts(case, facts, of_masks, _counts(keys), coloured)
        only = masks[""]
        if self.coloured:
            return CaseFacts(case, facts, of_masks, _counts(only.by_colour()), coloured)
        return CaseFacts(case, facts, of_masks, _counts(only.keys), coloured, only.used())

    def _mask(self, file: Path, pixels: Pixels | FileFault) -> MaskPixels | FileFault:
        if isinstance(pixels, FileFault):
            return pixels
        try:
            mask = mask_pixels_of(pixels)
            if replaced := hidden_numbers(file, ending_of(file.name), ITK[0]):
                raise UnusableError(*not_finite(replaced))
            if self.classes:
                check_binary(mask)
            elif self.coloured:
                mask.by_colour()
        except UnusableError as error:
            return FileFault(file, error.problem, error.remedy)
        return mask


def read_image(file: Path, reading: Reading) -> Pixels | FileFault:
    """Return the pixels of an image, a palette's as the colours that are seen."""
    import numpy as np

    pixels = read_pixels(file, reading)
    if isinstance(pixels, FileFault):
        return pixels
    if pixels.palette is None:
        return pixels
    colours = np.moveaxis(pixels.palette[pixels.values[0]], -1, 0)
    grey = bool((pixels.palette == pixels.palette[:, :1]).all())
    done = (*pixels.done, f"{'greys' if grey else 'colours'} of its palette")
    return Pixels(colours[:1] if grey else colours, pixels.placement, done=done)


def _facts(file: Path, pixels: Pixels) -> FileFacts:
    return FileFacts(
        file,
        pixels.values.shape,
        str(pixels.values.dtype),
        pixels.placement,
        pixels.done,
        pixels.as_stored,
        pixels.modality,
    )


def _counts(keys: "Array") -> dict[int, int]:
    import numpy as np

    found, counts = np.unique(keys, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _misfits(images: tuple[FileFacts, ...], masks: Mapping[str, FileFacts]) -> list[FileFault]:
    """Return the files of a case that are not of its first image's size or place."""
    first, faults = images[0], []
    size = shape_text(first.shape[1:])
    for each in (*images[1:], *masks.values()):
        if each.shape[1:] != first.shape[1:]:
            what = f"is {shape_text(each.shape[1:])}, and {first.file.name} {size}"
            faults.append(FileFault(each.file, what, "one size per case"))
        elif told := _elsewhere(first.placement, each.placement):
            what = f"has another {told} than {first.file.name}"
            faults.append(FileFault(each.file, what, ONTO_GRID))
    return faults


def _elsewhere(one: Placement | None, other: Placement | None) -> str:
    """Return what differs: spacing, direction or origin; nothing where one says none of it."""
    import numpy as np

    if one is None or other is None:
        return ""
    axes = min(len(one.spacing), len(other.spacing))
    if not np.allclose(one.spacing[:axes], other.spacing[:axes], rtol=SPACING, atol=0):
        return "spacing"
    if len(one.spacing) != len(other.spacing):
        return ""
    if not np.allclose(one.direction, other.direction, rtol=0, atol=DIRECTION):
        return "direction"
    far = np.abs(np.subtract(one.origin, other.origin)) > ORIGIN * np.array(one.spacing)
    return "origin" if far.any() else ""
