"""Masks and their references that have been looked at: sound, of one size, of one unit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.masks import MaskFacts, compare, lies_elsewhere, look_at_mask
from nnunet_vit.data.checks.raster_reading import PICTURES, in_threads, reader_for
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.errors import DataError, shortened
from nnunet_vit.evaluation.mask_pairs import Pair, Task
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

TOLERANCE = 1e-3  # relative; programs round spacings differently


@dataclass(frozen=True)
class CheckedMasks:
    """What a look at all masks told.

    Attributes:
        reader: nnU-Net's, of these files.
        shapes: of the references, (Z, Y, X), in the order of the pairs.
        unit: of lengths: mm, or px where the files have no spacing.
    """

    reader: "type[BaseReaderWriter]"
    shapes: tuple[tuple[int, ...], ...]
    unit: str

    @property
    def voxels(self) -> int:
        """Of the largest mask."""
        return max(map(math.prod, self.shapes))


def check_pairs(pairs: Sequence[Pair], task: Task, progress: Progress) -> CheckedMasks:
    """Look at masks, all of which have to be sound and fit their partners.

    Raises:
        DataError: names every mask that is none, and why.
    """
    files = [file for pair in pairs for file in (pair.reference, pair.prediction)]
    reader = reader_for(task.description, files, "mask")

    def look(pair: Pair) -> list[MaskFacts | FileFault]:
        masks = (pair.reference, pair.prediction)
        return [look_at_mask(file, reader, task.ending, labels=task.labels) for file in masks]

    progress.start_cases("Checking the masks", len(pairs))
    looks = in_threads(look, pairs, lambda: progress.case(""))
    faults = [found for both in looks for found in both if isinstance(found, FileFault)]
    elsewhere = 0
    for pair, (reference, prediction) in zip(pairs, looks, strict=True):
        if isinstance(reference, MaskFacts) and isinstance(prediction, MaskFacts):
            name = f"its prediction in {pair.prediction.parent}"
            fault = compare(reference, prediction, name, tolerance=TOLERANCE)
            faults += [fault] if fault else []
            elsewhere += lies_elsewhere(
                reference, prediction, relative=TOLERANCE, absolute=TOLERANCE
            )
    refuse(f"{pairs[0].prediction.parent} and {pairs[0].reference.parent}", grouped(faults))
    if elsewhere:
        progress.log(
            f"{elsewhere} of {len(pairs)} references have another origin or direction than their "
            "predictions: they are compared voxel by voxel, as they are stored."
        )
    references = [facts[0] for facts in looks if isinstance(facts[0], MaskFacts)]
    shapes = tuple(facts.shape for facts in references)
    return CheckedMasks(reader, shapes, _unit(references, reader.__name__))


def _unit(references: Sequence[MaskFacts], reader: str) -> str:
    """Return the unit of lengths, the same for all masks.

    Raises:
        DataError: some have a spacing and others have none: their lengths have no common mean.
    """
    without = [facts.file.name for facts in references if facts.spacing is None]
    if without and len(without) < len(references):
        raise DataError(
            f"{len(without)} of {len(references)} references have no spacing, the others have: "
            f"{shortened(without)}.",
            fix="give all of them a spacing, or none.",
        )
    return "px" if without or reader == PICTURES else "mm"
