"""One look at a training case: its images, its label, and whether they belong together."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from nnunet_vit.data.case_files import Case, channel_of
from nnunet_vit.data.checks.case_rasters import Rasters, read_case
from nnunet_vit.data.checks.images import (
    ImageFacts,
    Wanted,
    facts_of_case,
    look_at_case,
)
from nnunet_vit.data.checks.masks import MaskFacts, compare, facts_of_mask, read_mask
from nnunet_vit.data.checks.nifti_header import spacing_fault
from nnunet_vit.data.checks.raster_reading import Raster
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.labels import Labels

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

SPACING_TOLERANCE = 1e-5  # relative; nnU-Net's own check has it too


class Take(Protocol):
    """Is handed what was read of a case, in the thread that has read it."""

    def __call__(
        self, name: str, images: Rasters, label: Raster, *, reader: "type[BaseReaderWriter]"
    ) -> None:
        """Take it; the arrays are used by nobody else from then on."""


@dataclass(frozen=True)
class Look:
    """What is asked of every case.

    Attributes:
        reader: nnU-Net's.
        ending: file_ending of dataset.json.
        wanted: of the images.
        labels: that a label file may hold.
        listed: whether dataset.json lists the files, whose names then say nothing.
        numbers: the channels' digits in the names of most cases.
    """

    reader: "type[BaseReaderWriter]"
    ending: str
    wanted: Wanted
    labels: Labels
    listed: bool
    numbers: tuple[str, ...] = ()

    def of(self, cases: Mapping[str, Case]) -> "Look":
        """Return the look at these cases, which knows the usual numbers of channels."""
        if self.listed or not cases:
            return self
        (usual, _), *_ = Counter(self.channels(case) for case in cases.values()).most_common(1)
        return replace(self, numbers=usual)

    def channels(self, case: Case) -> tuple[str, ...]:
        """Return the digits of a case's channels."""
        return tuple(channel_of(file, self.ending) for file in case.images)


@dataclass(frozen=True)
class Seen:
    """What a look at one case told: facts of what is sound, faults of what is not."""

    image: ImageFacts | None
    label: MaskFacts | None
    faults: tuple[FileFault, ...]


def look_at(look: Look, name: str, case: Case, *, take: Take | None = None) -> Seen:
    """Return what there is to know of a case's files.

    Args:
        look: what is asked.
        name: of the case.
        case: its files.
        take: is handed what was read of a case without faults.
    """
    rasters = read_case(case.images, look.reader, look.ending)
    image: ImageFacts | list[FileFault]
    if isinstance(rasters, Rasters):
        image = facts_of_case(rasters, look.ending, look.reader.__name__, wanted=look.wanted)
    else:
        image = rasters
    if isinstance(image, list):
        image = _missing_channels(look, name, case) or image
    mask = read_mask(case.label, look.reader, look.ending)
    label: MaskFacts | FileFault
    if isinstance(mask, Raster):
        label = facts_of_mask(case.label, mask, look.ending, labels=look.labels)
    else:
        label = mask
    faults = list(image) if isinstance(image, list) else []
    faults += [label] if isinstance(label, FileFault) else []
    if isinstance(image, ImageFacts) and isinstance(label, MaskFacts):
        other = compare(label, image, case.images[0].name, tolerance=SPACING_TOLERANCE)
        faults += [other] if other else []
    faults += [] if faults else _wrong_headers(look, case)
    if take and not faults and isinstance(rasters, Rasters) and isinstance(mask, Raster):
        take(name, rasters, mask, reader=look.reader)
    return Seen(
        image if isinstance(image, ImageFacts) else None,
        label if isinstance(label, MaskFacts) else None,
        tuple(faults),
    )


def _wrong_headers(look: Look, case: Case) -> Iterator[FileFault]:
    for file in (*case.images, case.label):
        problem, remedy = spacing_fault(file, look.ending)
        if problem:
            yield FileFault(file, problem, remedy)


def _missing_channels(look: Look, name: str, case: Case) -> list[FileFault]:
    """Return the channel files that a case lacks and most cases have, with its other faults."""
    there = look.channels(case)
    if not set(there) < set(look.numbers) or len(look.numbers) != len(look.wanted.channels):
        return []
    kept = [number for number, digits in enumerate(look.numbers) if digits in there]
    narrow = replace(
        look.wanted,
        channels=tuple(look.wanted.channels[number] for number in kept),
        schemes=tuple(look.wanted.schemes[number] for number in kept),
    )
    image = look_at_case(case.images, look.reader, look.ending, wanted=narrow)
    missing = [
        FileFault(
            case.images[0].with_name(f"{name}_{digits}{look.ending}"),
            "is missing; other cases have this channel",
            "add it, or move the case's other files away, its label too",
        )
        for digits in look.numbers
        if digits not in there
    ]
    return missing + (image if isinstance(image, list) else [])
