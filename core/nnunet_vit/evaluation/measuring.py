"""Measure pairs of masks: nnU-Net's numbers and the metrics that are asked for, each mask once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import Raster, in_threads
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.errors import MachineError
from nnunet_vit.evaluation.checked_masks import CheckedMasks
from nnunet_vit.evaluation.class_masks import ClassMasks, Empty, MetricOptions
from nnunet_vit.evaluation.mask_pairs import Pair
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.evaluation.probabilities import Channels, Probabilities, read_probabilities
from nnunet_vit.evaluation.threshold import Threshold
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

Key = int | tuple[int, ...]  # a label, or a region
NOT_COUNTED = -1  # in a reference; no label
VOXELS = 2**26  # that are measured at the same time: about 140 bytes each, with probabilities


@dataclass(frozen=True)
class Measuring:
    """What to measure, on what.

    Attributes:
        checked: what the look at the masks told.
        ending: of the masks.
        classes: names by label or region.
        ignored: the label of pixels that do not count.
        metrics: what to measure.
        options: of the metrics.
        fields: folder of masks of the same names, not 0 where pixels count; None: all do.
        channels: where probabilities have which class; None: they are not read.
        threshold: by which the masks are made of probabilities; None: they are what was predicted.
    """

    checked: CheckedMasks
    ending: str
    classes: Mapping[Key, str]
    ignored: int | None = None
    metrics: Sequence[Metric] = ()
    options: MetricOptions = field(default_factory=MetricOptions)
    fields: Path | None = None
    channels: Channels | None = None
    threshold: Threshold | None = None


@dataclass(frozen=True)
class CaseValues:
    """What a case came to.

    Attributes:
        name: of the case.
        summary: nnU-Net's entry of its summary.json.
        values: by class and metric.
        empty: by class, which mask has no pixel.
        counts: by class, nnU-Net's numbers of pixels.
        unit: of lengths: mm, or px.
        differs: whether its probabilities say another mask.
    """

    name: str
    summary: JsonObject
    values: Mapping[str, Mapping[str, float]]
    empty: Mapping[str, Empty]
    counts: Mapping[str, Mapping[str, float]]
    unit: str
    differs: bool = False


def measure_pairs(
    pairs: Sequence[Pair], measuring: Measuring, progress: Progress
) -> list[CaseValues]:
    """Return what each pair comes to.

    Raises:
        DataError: a file is not what it was when it was checked.
        MachineError: memory ran out; names the case.
    """

    def measure(pair: Pair) -> CaseValues:
        try:
            return _measured(pair, measuring)
        except MemoryError as error:
            raise MachineError(
                f"{pair.reference}: memory ran out when it was compared: {error or 'no details'}.",
                fix="close other programs, or nnUNet_def_n_proc=1 in the environment.",
            ) from error

    most = max(1, VOXELS // measuring.checked.voxels)
    return in_threads(measure, pairs, lambda: progress.case(""), most=most)


class _Held:
    """Hands nnU-Net the masks that have been read."""

    def __init__(self, masks: "dict[str, Array]") -> None:
        self.masks = masks

    def read_seg(self, file: str) -> "tuple[Array, JsonObject]":
        return self.masks[file], {}


def _measured(pair: Pair, measuring: Measuring) -> CaseValues:
    from nnunetv2.evaluation.evaluate_predictions import compute_metrics

    reference, prediction = (_read(file, measuring) for file in (pair.reference, pair.prediction))
    counted, ignored = _counted(reference.values, pair, measuring), measuring.ignored
    if measuring.fields is not None:
        reference.values[~counted], ignored = NOT_COUNTED, NOT_COUNTED
    files = str(pair.reference), str(pair.prediction)
    held = _Held(dict(zip(files, (reference.values, prediction.values), strict=True)))
    probabilities = None
    if measuring.channels is not None:
        probabilities = read_probabilities(
            pair.prediction, measuring.ending, measuring.channels, mask=prediction.values[0]
        )
        if measuring.threshold is not None:
            _set_by_threshold(prediction.values, probabilities, measuring)
    summary = dict(compute_metrics(*files, held, list(measuring.classes), ignored))
    values, empty, counts = {}, {}, {}
    for key, name in measuring.classes.items():  # one class at a time: distances are large
        masks = _of_class(
            (reference, prediction), key, summary, counted=counted, measuring=measuring,
            probability=None if probabilities is None else probabilities.of(name),
        )  # fmt: skip
        values[name] = {metric.name: metric.value(masks) for metric in measuring.metrics}
        empty[name], counts[name] = masks.empty, _pixels(masks.counts)
    return CaseValues(
        pair.prediction.name.removesuffix(measuring.ending), summary, values, empty, counts,
        measuring.checked.unit, probabilities is not None and probabilities.differs,
    )  # fmt: skip


def _set_by_threshold(mask: "Array", found: Probabilities, measuring: Measuring) -> None:
    """Let a mask (1, Z, Y, X) hold its only class where the probability reaches the threshold."""
    assert measuring.threshold is not None
    ((key, name),) = measuring.classes.items()
    number = key[0] if isinstance(key, tuple) else key
    mask[0] = number * measuring.threshold.mask(found.of(name))


def _pixels(counts: Mapping[str, float]) -> dict[str, float]:
    return {name: float(counts[name]) for name in ("TP", "FP", "FN", "TN")}


def _read(file: Path, measuring: Measuring) -> Raster:
    raster = read_mask(file, measuring.checked.reader, measuring.ending)
    if isinstance(raster, FileFault):
        refuse(file.parent, grouped([raster]))
    assert isinstance(raster, Raster)
    return raster


def _counted(reference: "Array", pair: Pair, measuring: Measuring) -> "Array":
    import numpy as np

    counted: Array = np.ones(reference.shape, bool)
    if measuring.ignored is not None:
        counted = reference != measuring.ignored
    if measuring.fields is not None:
        counted &= _read(measuring.fields / pair.reference.name, measuring).values != 0
    return counted


def _of_class(
    masks: tuple[Raster, Raster],
    key: Key,
    summary: JsonObject,
    *,
    counted: "Array",
    probability: "Array | None",
    measuring: Measuring,
) -> ClassMasks:
    """Return a class's masks without axes of length 1, as metrics take them."""
    from nnunetv2.evaluation.evaluate_predictions import region_or_label_to_mask

    reference = masks[0]
    axes = _axes(reference.values.shape[1:])
    shape = tuple(reference.values.shape[1 + axis] for axis in axes)
    counts = counted.reshape(shape)
    true, predicted = (
        region_or_label_to_mask(mask.values, key).reshape(shape) & counts for mask in masks
    )
    return ClassMasks(
        true,
        predicted,
        tuple((reference.spacing or (1.0, 1.0, 1.0))[axis] for axis in axes),
        summary["metrics"][key],
        measuring.options,
        counted=None if counts.all() else counts,
        probability=None if probability is None else probability.reshape(shape),
    )


def _axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes of a plane, or of a volume: a volume of one slice is a plane."""
    axes = tuple(axis for axis, size in enumerate(shape) if size > 1)
    return axes if len(axes) > 1 else tuple(range(len(shape)))[-2:]
