"""Which files a model takes: those that it was trained on, and what says the same in another way.

Intensities and sizes are never changed: where a format says less than the model needs, or more than
it was trained on, the file is refused.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.case_files import channel_of
from nnunet_vit.data.checks.foreign_readers import (
    PictureAsPlane,
    PlaneAsPicture,
    VolumeForNibabel,
    VolumeForNibabelReoriented,
)
from nnunet_vit.data.checks.raster_reading import ITK, PICTURES, STACKS
from nnunet_vit.data.checks.stored_pixels import TIFF, oddity_of, slices_as_colours
from nnunet_vit.data.checks.stored_spacing import spacing_fault
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.naming import counted_endings, ending_of
from nnunet_vit.files.json_file import JsonMapping

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    Reader = type[BaseReaderWriter]

JPEG = (".jpg", ".jpeg")
PICTURE = (".png", ".bmp", *TIFF, *JPEG)
NIFTI = (".nii.gz", ".nii")
PLACED = (*NIFTI, ".nrrd", ".mha", ".gipl")
NIBABEL = {"NibabelIO": VolumeForNibabel, "NibabelIOWithReorient": VolumeForNibabelReoriented}
UNIT = 1e-3  # how far from 1 the size of a pixel may be that is no size


@dataclass(frozen=True)
class Formats:
    """The files that a model takes.

    Attributes:
        own: nnU-Net's reader of the images that it was trained on.
        ending: of these, and of masks.
        spacing: median of the training images, any order of axes; none: not known.
        channels: of the model, by name; none: not known.
    """

    own: "Reader"
    ending: str
    spacing: tuple[float, ...] = ()
    channels: tuple[str, ...] = ()

    @cached_property
    def readers(self) -> "Mapping[str, Reader]":
        """The reader of each ending, in small letters."""
        name = self.own.__name__
        found: dict[str, Reader] = {}
        if name == PICTURES:
            found |= dict.fromkeys(PLACED, PlaneAsPicture) | dict.fromkeys(PICTURE, self.own)
        elif name in ITK:
            found |= dict.fromkeys(PLACED, self.own)
            if name == ITK[0] and self._of_planes:
                found |= dict.fromkeys(PICTURE, PictureAsPlane)
        elif name in NIBABEL:
            found |= dict.fromkeys(PLACED, NIBABEL[name]) | dict.fromkeys(NIFTI, self.own)
        elif name == STACKS:
            found |= dict.fromkeys(TIFF, self.own)
        return found | {self.ending.lower(): self.own}

    @property
    def of_pictures(self) -> bool:
        """Whether the model was trained on pictures: they have no spacing."""
        return self.own.__name__ == PICTURES

    @property
    def _has_sizes(self) -> bool:
        """Whether the sizes of pixels are known: not 1 for want of any, and 999 between planes."""
        sizes = [size for size in self.spacing if size != 999]
        return not self.of_pictures and any(abs(size - 1) >= UNIT for size in sizes)

    @property
    def _of_planes(self) -> bool:
        """Whether the training images were planes whose pixels have the size 1: converted ones."""
        *plane, between = sorted(self.spacing) or [0.0]
        return len(plane) == 2 and between > 100 and all(abs(size - 1) < UNIT for size in plane)

    def ending_of(self, file: Path) -> str:
        """Return the ending of a file as the readers know it."""
        if file.name.endswith(self.ending):
            return self.ending
        return ending_of(file.name).lower()

    def reader_of(self, files: Sequence[Path]) -> "Reader":
        """Return the reader of a case's files, which have one."""
        return self.readers[self.ending_of(files[0]).lower()]

    def fault(self, file: Path, place: str) -> FileFault | None:
        """Return why a file is not even looked at: it is not there, or no format that is taken.

        Args:
            file: an image.
            place: where a list names it.
        """
        if not os.path.lexists(file):
            return _absent(file, place)
        if self.ending_of(file).lower() not in self.readers:
            return FileFault(file, *self.refusal(file.name))
        if self.own.__name__ == STACKS and not channel_of(file, ending_of(file.name)):
            return FileFault(
                file, "has no channel number, and nnU-Net finds a stack's spacing by it",
                f"name it CASE_0000{ending_of(file.name)}, its spacing CASE.json",
            )  # fmt: skip
        problem, remedy = self._odd(file)
        return FileFault(file, problem, remedy) if problem else None

    def _odd(self, file: Path) -> tuple[str, str]:
        """Return why a file's pixels are not what the model would take them for; or nothing."""
        ending = self.ending_of(file).lower()
        if ending in PLACED and self._has_sizes:
            return spacing_fault(file, ending)
        if ending not in PICTURE or self.own.__name__ == STACKS:
            return "", ""
        if ending == self.ending.lower():  # as the training images were read
            return "", ""
        slices = slices_as_colours(file, ending, self.channels)
        return slices if slices[0] else oddity_of(file, ending)

    def refusal(self, name: str) -> tuple[str, str]:
        """Return why a file of that name is not taken, and what to do."""
        ending = ending_of(name).lower()
        takes = f"the model was trained on *{self.ending}"
        if ending in PICTURE and self.own.__name__ in (*ITK, *NIBABEL):
            return (
                f"is a picture, which does not say how large a pixel is; {takes}",
                f"convert it to {self.ending} with its spacing",
            )
        if ending in PLACED or ending in PICTURE:
            return f"is a *{ending}; {takes}", f"convert it to {self.ending}"
        return (
            f"is no image that this model takes: {', '.join(sorted(self.readers))}",
            f"convert it to {self.ending}",
        )


def _absent(file: Path, place: str) -> FileFault:
    """Return the fault of a file that is not there.

    Args:
        file: an image.
        place: where a list or a table names it; empty: the command line.
    """
    named = f"; {place} names it" * bool(place)
    if "\\" in file.name:  # written by Windows
        return FileFault(file, f"is not there{named}", "/ parts folders here, not \\")
    remedy = "paths are relative to the folder of the file that names them, or whole"
    return FileFault(file, f"is not there{named}", remedy if place else "correct its name")


def formats_of(plans: JsonMapping, own: "Reader", ending: str, channels: Sequence[str]) -> Formats:
    """Return the files that a model takes.

    Args:
        plans: of the model.
        own: nnU-Net's reader that they name.
        ending: file_ending of its dataset.json.
        channels: by name.
    """
    known = plans.get("original_median_spacing_after_transp")
    usual = known if isinstance(known, list) else []
    sizes = tuple(float(size) for size in usual if isinstance(size, int | float))
    return Formats(own, ending, sizes, tuple(channels))


def foreign_notices(cases: Iterable[Sequence[Path]], ending: str) -> Iterator[str]:
    """Yield what is to be said of images in other formats than the model was trained on."""
    files = [
        file
        for own in cases
        for file in own
        if not file.name.endswith(ending) and ending_of(file.name).lower() in PICTURE + PLACED
    ]
    if files:
        lossy = any(ending_of(file.name).lower() in JPEG for file in files)
        told = counted_endings(files, len(PICTURE + PLACED))
        yield (
            f"Read as the model's *{ending}: {told}; masks are *{ending}."
            + " JPEG has changed values, and masks may differ for it." * lossy
        )
