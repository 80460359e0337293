"""One look at the images of a case, before a network or a planner works with them."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.case_rasters import Rasters, read_case
from nnunet_vit.data.checks.image_figures import ImageFigures, measured
from nnunet_vit.data.checks.image_values import wrong_values_of
from nnunet_vit.data.checks.raster_reading import Raster, bands_of
from nnunet_vit.data.checks.sampling import (
    Target,
    bytes_needed,
    resampled,
    size_fault,
)
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.errors import counted
from nnunet_vit.quantities import shape_text, sizes_text

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

DESCRIBED = "dataset.json"  # who wants the channels of training images


@dataclass(frozen=True)
class Wanted:
    """What the images must be.

    Attributes:
        channels: names, in order.
        schemes: nnU-Net's normalization of each channel, by class name.
        by: who wants it, in words: `the model`, `dataset.json`.
        target: how they will be resampled, or None before the plans are known.
        measures: whether their figures are wanted.
    """

    channels: tuple[str, ...]
    schemes: tuple[str, ...]
    by: str
    target: Target | None = None
    measures: bool = False


@dataclass(frozen=True)
class ImageFacts:
    """What a look at the sound images of a case told.

    Attributes:
        files: of the case.
        shape: (Z, Y, X); Z is 1 for a picture.
        spacing: (Z, Y, X), or None where nothing says it.
        placement: origin and direction of the first file, empty where the format has none.
        memory: bytes that predicting the case takes at least; 0 before the plans are known.
        figures: where they are wanted.
    """

    files: tuple[Path, ...]
    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None
    placement: tuple[float, ...]
    memory: int = 0
    figures: ImageFigures | None = None


def look_at_case(
    files: Sequence[Path], reader: "type[BaseReaderWriter]", ending: str, *, wanted: Wanted
) -> ImageFacts | list[FileFault]:
    """Return size and spacing of a case's images, or the fault of each file that has one.

    Args:
        files: of the case, in the order of the channels.
        reader: nnU-Net's, as the plans name it or `reader_for` returns it.
        ending: file_ending of dataset.json.
        wanted: what they must be.
    """
    rasters = read_case(files, reader, ending)
    if not isinstance(rasters, Rasters):
        return rasters
    return facts_of_case(rasters, ending, reader.__name__, wanted=wanted)


def facts_of_case(
    rasters: Rasters, ending: str, reader: str, *, wanted: Wanted
) -> ImageFacts | list[FileFault]:
    """Return what `look_at_case` does of images that have been read.

    Args:
        rasters: of the case.
        ending: file_ending of dataset.json.
        reader: nnU-Net's, by class name.
        wanted: what they must be.
    """
    files, read_ones = rasters.files, rasters.images
    first = read_ones[0]
    faults = [
        *_wrong_channels(files, read_ones, wanted),
        *_wrong_grids(files, read_ones),
    ] or wrong_values_of(files, read_ones, wanted.schemes)
    if faults:
        return faults
    figures = None
    if wanted.measures:
        figures = measured(files, read_ones, ending, reader=reader)
    facts = ImageFacts(files, first.values.shape[1:], first.spacing, first.placement,
                       figures=figures)  # fmt: skip
    return facts if wanted.target is None else _sized(facts, wanted.target)


def _sized(facts: ImageFacts, target: Target) -> ImageFacts | list[FileFault]:
    """Return the facts with the memory that the case takes after resampling."""
    spacing = facts.spacing or (1.0, 1.0, 1.0)
    problem, remedy = size_fault(facts.shape, spacing, target)
    if problem:
        return [FileFault(facts.files[0], problem, remedy)]
    needed = bytes_needed(resampled(facts.shape, spacing, target), target)
    return dataclasses.replace(facts, memory=needed)


def _wrong_channels(
    files: Sequence[Path], rasters: Sequence[Raster], wanted: Wanted
) -> list[FileFault]:
    needed = len(wanted.channels)
    names = ", ".join(dict.fromkeys(wanted.channels))  # rgb_to_0_1 is usually named three times
    takes = f"{wanted.by} takes {needed} ({names})"
    there = 0
    for number, (file, raster) in enumerate(zip(files, rasters, strict=True)):
        own = len(raster.values)
        if there == needed:
            return _too_many_files(files, number, takes)
        there += own
        if there > needed:
            return [
                FileFault(
                    file,
                    f"has {_counted(file, own)}; {takes}",
                    _fewer(file, own, needed) + _or_named(wanted, own),
                )
            ]
    if there == needed:
        return []
    if len(files) == 1:
        return [
            FileFault(
                files[0],
                f"has {_counted(files[0], there)}; {takes}",
                _more(there, needed) + _or_named(wanted, there),
            )
        ]
    return [
        FileFault(
            files[-1],
            f"is the last of {len(files)} files of its case with {there} channels in all; {takes}",
            "add the missing channel's file",
        )
    ]


def _too_many_files(files: Sequence[Path], enough: int, takes: str) -> list[FileFault]:
    given = counted(enough, "file")
    return [
        FileFault(
            extra,
            f"is one file too many: {takes}, and {given} of the case hold them",
            "move it elsewhere",
        )
        for extra in files[enough:]
    ]


def _counted(file: Path, channels: int) -> str:
    kind = bands_of(file)
    colours = {
        "P": "colours of a palette", "RGB": "red, green, blue", "RGBA": "with transparency",
        "CMYK": "inks, for print",
    }  # fmt: skip
    grey = " (grey, more than 8 bits)" if kind.startswith(("I", "F")) else " (grey)"
    detail = f" ({colours[kind]})" if kind in colours else grey if channels == 1 else ""
    return f"{counted(channels, 'channel')}{detail}"


def _or_named(wanted: Wanted, channels: int) -> str:
    """Return the other remedy, where it may be dataset.json that is wrong."""
    if wanted.by != DESCRIBED:
        return ""
    return f"; or, if all images are so, name {channels} in channel_names of dataset.json"


def _fewer(file: Path, there: int, needed: int) -> str:
    if not bands_of(file):  # no picture, whose channels would be colours
        kept = "one of its volumes" if needed == 1 else f"the {needed} volumes that are channels"
        return f"keep {kept}; volumes of other times are cases of their own"
    if needed == 1:
        return "save it as grey"
    if there == needed + 1 and bands_of(file) in {"RGBA", "P", "PA"}:
        return "save it without transparency"
    return "save the channels that the training images had"


def _more(there: int, needed: int) -> str:
    if (there, needed) == (1, 3):
        return "save it in colour (RGB), as the training images were"
    return "add the files of the other channels, _0001 and so on"


def _wrong_grids(files: Sequence[Path], rasters: Sequence[Raster]) -> list[FileFault]:
    import numpy as np

    first, faults = rasters[0], []
    for file, raster in zip(files[1:], rasters[1:], strict=True):
        one, other = raster.values.shape[1:], first.values.shape[1:]
        if one != other:
            problem = f"is {shape_text(one)}, {files[0].name} {shape_text(other)}"
        elif raster.spacing and first.spacing and not np.allclose(first.spacing, raster.spacing):
            problem = (
                f"has spacing {sizes_text(raster.spacing)}, {files[0].name} "
                f"{sizes_text(first.spacing)}"
            )
        else:
            continue
        faults.append(
            FileFault(file, problem, "the channels of a case must lie on the same pixels")
        )
    return faults
