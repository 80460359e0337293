"""Probabilities averaged over models, as nnU-Net's ensembles do, and the masks that they make."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.errors import DataError
from nnunet_vit.evaluation.evaluate import classes_of
from nnunet_vit.evaluation.mask_pairs import Task
from nnunet_vit.evaluation.probabilities import Channels, read_probabilities
from nnunet_vit.evaluation.ranking.comparable_runs import Run

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array


def average(members: "Sequence[Array]") -> "Array":
    """Return the mean of probabilities, (C, Z, Y, X) each; summed in nnU-Net's order.

    Raises:
        DataError: they have different shapes.
    """
    import numpy as np

    shapes = {array.shape for array in members}
    if len(shapes) > 1:
        raise DataError(f"Probabilities of different shapes have no mean: {sorted(shapes)}.")
    total: Array = members[0].astype(np.float32)
    for other in members[1:]:
        total += other
    total /= len(members)
    return total


def reader_of(task: Task) -> "BaseReaderWriter":
    """Return nnU-Net's reader and writer of a model's images and masks."""
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    reader: BaseReaderWriter = PlansManager(task.plans).image_reader_writer_class()
    return reader


def channels_of(task: Task) -> Channels:
    """Return what the channels of a model's probabilities mean."""
    labels = task.label_manager()
    regions = tuple(task.description["regions_class_order"]) if labels.has_regions else ()
    return Channels(tuple(classes_of(labels, task.description).values()), regions)


def out_of_fold(runs: Sequence[Run], case: str) -> "tuple[Array, dict[str, object]]":
    """Return the mean probabilities of a case by the models that have not seen it.

    Returns:
        The probabilities, (C, Z, Y, X), and nnU-Net's properties of the first run's mask.

    Raises:
        DataError: a file is damaged, or is not what the mask beside it was made from.
    """
    found, about = [], []
    for run in runs:
        mask = run.validation_masks()[case]
        values, properties = reader_of(run.task).read_seg(str(mask))
        about.append(properties)
        found.append(_probabilities(mask, run.task, values[0]))
    return average(found), about[0]


def _probabilities(mask: Path, task: Task, values: "Array") -> "Array":
    read = read_probabilities(mask, task.ending, channels_of(task), mask=values)
    if read.differs:
        raise DataError(
            f"{mask} is not the mask that the probabilities beside it make: they are of another "
            "validation.",
            fix="validate again, with probabilities.",
        )
    return read.values
