"""Pixels of all validation cases, each with the probabilities of the models that did not see it."""

from typing import TYPE_CHECKING

from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import Raster, in_threads, reader_for
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import grouped
from nnunet_vit.evaluation.mask_pairs import Pair
from nnunet_vit.evaluation.ranking.averaging import out_of_fold
from nnunet_vit.evaluation.ranking.scored_masks import TOGETHER, Contender
from nnunet_vit.evaluation.ranking.temperature import PIXELS, SEED, Calibration, fitted, sample
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


def calibrated(contender: Contender, progress: Progress) -> Calibration:
    """Return the temperature of a run's probabilities, or of the mean of several runs'.

    Args:
        contender: whose validations have kept probabilities.
        progress: where to show what happens.

    Raises:
        DataError: probabilities are damaged, or of other validations than the masks.
    """
    import numpy as np

    task = contender.task
    labels = task.label_manager()
    keys = labels.foreground_regions if labels.has_regions else labels.all_labels
    reader = reader_for(task.description, [pair.reference for pair in contender.pairs], "mask")
    each = -(-PIXELS // len(contender.pairs))

    def drawn(numbered: tuple[int, Pair]) -> "tuple[Array, Array]":
        number, pair = numbered
        probabilities, _ = out_of_fold(
            contender.runs, pair.reference.name.removesuffix(task.ending)
        )
        raster = read_mask(pair.reference, reader, task.ending)
        if not isinstance(raster, Raster):
            refuse(pair.reference.parent, grouped([raster]))
        assert isinstance(raster, Raster)
        truth = raster.values.ravel()
        counted = np.ones(len(truth), bool)
        if labels.ignore_label is not None:
            counted = truth != labels.ignore_label
        pixels = sample(np.flatnonzero(counted), each, (SEED, number))
        flat = probabilities.reshape(len(probabilities), -1)
        return flat[:, pixels], np.stack([np.isin(truth[pixels], key) for key in keys])

    progress.start_work("Fitting the temperature")
    found = in_threads(drawn, list(enumerate(contender.pairs)), most=TOGETHER)
    probabilities, truth = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    calibration = fitted(probabilities, truth, regions=labels.has_regions)
    progress.close()
    return calibration
