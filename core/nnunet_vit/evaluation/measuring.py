"""Measure pairs of masks: nnU-Net's numbers and the metrics that are asked for, each mask once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.masks import UNKNOWN, read_mask
from nnunet_vit.data.checks.raster_reading import Raster, in_threads
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.errors import MachineError
from nnunet_vit.evaluation.class_masks import ClassMasks, Empty, MetricOptions
from nnunet_vit.evaluation.mask_pairs import Pair
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.evaluation.probabilities import Channels, read_probabilities
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array

Key = int | tuple[int, ...]  # a label, or a region
NOT_COUNTED = -1  # in a reference; no label


@dataclass(frozen=True)
class Measuring:
    """What to measure, on what.

    Attributes:
        reader: nnU-Net's, of the masks.
        ending: of the masks.
        classes: names by label or region.
        ignored: the label of pixels that do not count.
        metrics: what to measure.
        options: of the metrics.
        fields: folder of masks of the same names, not 0 where pixels count; None: all do.
        channels: where probabilities have which class; None: they are not read.
    """

    reader: "type[BaseReaderWriter]"
    ending: str
    classes: Mapping[Key, str]
    ignored: int | None = None
    metrics: Sequence[Metric] = ()
    options: MetricOptions = field(default_factory=MetricOptions)
    fields: Path | None = None
    channels: Channels | None = None


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
    """

    name: str
    summary: JsonObject
    values: Mapping[str, Mapping[str, float]]
    empty: Mapping[str, Empty]
    counts: Mapping[str, Mapping[str, float]]
    unit: str


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

    return in_threads(measure, pairs, lambda: progress.case(""))


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
    summary = dict(compute_metrics(*files, held, list(measuring.classes), ignored))
    case = pair.prediction.name.removesuffix(measuring.ending)
    masks = _class_masks(
        (reference, prediction), summary, counted=counted, case=pair, measuring=measuring
    )
    return CaseValues(
        case,
        summary,
        {name: {m.name: m.value(each) for m in measuring.metrics} for name, each in masks.items()},
        {name: each.empty for name, each in masks.items()},
        {name: _pixels(each.counts) for name, each in masks.items()},
        unit_of(reference.spacing),
    )


def _pixels(counts: Mapping[str, float]) -> dict[str, float]:
    return {name: float(counts[name]) for name in ("TP", "FP", "FN", "TN")}


def unit_of(spacing: tuple[float, ...] | None) -> str:
    """Return the unit of lengths in a mask: mm, or px where the file has no spacing."""
    return "px" if spacing is None or UNKNOWN in spacing[:1] else "mm"


def _read(file: Path, measuring: Measuring) -> Raster:
    raster = read_mask(file, measuring.reader, measuring.ending)
    if isinstance(raster, FileFault):
        refuse(file.parent, grouped([raster]))
    assert isinstance(raster, Raster)
    return raster


def _counted(reference: "Array", pair: Pair, measuring: Measuring) -> "Array":
    counted: Array = reference != measuring.ignored
    if measuring.fields is not None:
        counted &= _read(measuring.fields / pair.reference.name, measuring).values != 0
    return counted


def _class_masks(
    masks: tuple[Raster, Raster],
    summary: JsonObject,
    *,
    counted: "Array",
    case: Pair,
    measuring: Measuring,
) -> dict[str, ClassMasks]:
    """Return each class's masks without axes of length 1, as metrics take them."""
    from nnunetv2.evaluation.evaluate_predictions import region_or_label_to_mask

    reference = masks[0]
    axes = _axes(reference.values.shape[1:])
    shape = tuple(reference.values.shape[1 + axis] for axis in axes)
    spacing = tuple((reference.spacing or (1.0, 1.0, 1.0))[axis] for axis in axes)
    counts, found = counted.reshape(shape), {}
    probabilities = {}
    if measuring.channels is not None:
        probabilities = read_probabilities(
            case.prediction, measuring.ending, measuring.channels, shape=counted.shape[1:]
        )
    for key, name in measuring.classes.items():
        probability = probabilities.get(name)
        true, predicted = (
            region_or_label_to_mask(mask.values, key).reshape(shape) & counts for mask in masks
        )
        found[name] = ClassMasks(
            true,
            predicted,
            spacing,
            summary["metrics"][key],
            measuring.options,
            counted=None if counts.all() else counts,
            probability=None if probability is None else probability.reshape(shape),
        )
    return found


def _axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the axes of a plane, or of a volume: a volume of one slice is a plane."""
    axes = tuple(axis for axis, size in enumerate(shape) if size > 1)
    return axes if len(axes) > 1 else tuple(range(len(shape)))[-2:]
