"""One look at all pixels: which class is taken for which, and how often probabilities are right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import Raster, in_threads, reader_for
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.evaluation.evaluate import classes_of
from nnunet_vit.evaluation.mask_pairs import Pair, Task
from nnunet_vit.evaluation.measuring import VOXELS, Key
from nnunet_vit.evaluation.metrics.calibration_error import BINS
from nnunet_vit.evaluation.probabilities import Channels, lacking, read_probabilities
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array


@dataclass(frozen=True)
class PixelCounts:
    """Pixels of all cases.

    Attributes:
        labels: the numbers that rows and columns stand for, background first.
        confusion: (labels, labels), of the reference and of the prediction.
        reliability: by class, (3, BINS): pixels, sum of the probabilities, pixels of the class;
            none where probabilities are not at hand.
        differing: masks that are not what their probabilities say.
    """

    labels: Sequence[int]
    confusion: "Array"
    reliability: Mapping[str, "Array"]
    differing: int = 0


@dataclass(frozen=True)
class _Look:
    """What is needed to look at one pair."""

    task: Task
    reader: "type[BaseReaderWriter]"
    labels: Sequence[int]
    classes: Mapping[Key, str]
    channels: Channels | None


def count_pixels(
    pairs: Sequence[Pair], task: Task, progress: Progress, *, voxels: int
) -> PixelCounts:
    """Return the counts of masks that have been checked.

    Args:
        pairs: of the masks.
        task: what they should show.
        progress: where to show what happens.
        voxels: of the largest mask, by which so many are read at the same time.

    Raises:
        DataError: a file has changed since, or its probabilities are damaged.
    """
    import numpy as np

    manager = task.label_manager()
    classes = classes_of(manager, task.description)
    regions = tuple(task.description["regions_class_order"]) if manager.has_regions else ()
    channels = None if lacking(pairs, task.ending) else Channels(tuple(classes.values()), regions)
    reader = reader_for(task.description, [pair.reference for pair in pairs], "mask")
    look = _Look(task, reader, (0, *task.labels.foreground), classes, channels)
    progress.start_cases("Counting pixels", len(pairs))
    found = in_threads(
        lambda pair: _counts(pair, look),
        pairs,
        lambda: progress.case(""),
        most=max(1, VOXELS // voxels),
    )
    progress.close()
    names = found[0].reliability
    return PixelCounts(
        look.labels,
        np.sum([one.confusion for one in found], axis=0),
        {name: np.sum([one.reliability[name] for one in found], axis=0) for name in names},
        sum(one.differing for one in found),
    )


def _counts(pair: Pair, look: _Look) -> PixelCounts:
    """Return the counts of one case."""
    reference, prediction = (_read(file, look)[0] for file in (pair.reference, pair.prediction))
    ignored = look.task.labels.ignore
    counted, claimed = reference != ignored, prediction * (prediction != ignored)
    confusion = _confusion(reference[counted], claimed[counted], look.labels)
    if look.channels is None:
        return PixelCounts(look.labels, confusion, {})
    found = read_probabilities(pair.prediction, look.task.ending, look.channels, mask=prediction)
    reliability = {
        name: _reliability(found.of(name)[counted], _is_class(reference[counted], key))
        for key, name in look.classes.items()
    }
    return PixelCounts(look.labels, confusion, reliability, int(found.differs))


def _read(file: Path, look: _Look) -> "Array":
    raster = read_mask(file, look.reader, look.task.ending)
    if isinstance(raster, FileFault):
        refuse(file.parent, grouped([raster]))
    assert isinstance(raster, Raster)
    return raster.values


def _confusion(reference: "Array", prediction: "Array", labels: Sequence[int]) -> "Array":
    import numpy as np

    places = [np.searchsorted(labels, mask) for mask in (reference, prediction)]
    counts = np.bincount(places[0] * len(labels) + places[1], minlength=len(labels) ** 2)
    table: Array = counts.reshape(len(labels), len(labels))
    return table


def _is_class(reference: "Array", key: Key) -> "Array":
    import numpy as np

    found: Array = np.isin(reference, key)
    return found


def _reliability(probability: "Array", truth: "Array") -> "Array":
    import numpy as np

    bins = np.clip((probability * BINS).astype(int), 0, BINS - 1)
    weights = (None, probability, truth)
    counts: Array = np.stack([np.bincount(bins, weights=w, minlength=BINS) for w in weights])
    return counts
