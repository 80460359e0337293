"""Metrics as lines for people: a block per class, then what each metric means."""

import math
from collections.abc import Iterator

from nnunet_vit.errors import counted
from nnunet_vit.evaluation.case_statistics import Statistic
from nnunet_vit.evaluation.measurement import EMPTY_RULE, INTERVAL_RULE, Measurement
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.quantities import decimal_text
from nnunet_vit.report.text_width import WIDTH

HEADER = f"{'mean':>8}  {'95 % interval':^18}  {'SD':>7}  {'median':>8}  {'pooled':>7}"
NARROW_HEADER = f"{'mean':>7} {'interval':>12}"
NARROW_NOTE = "SD, median and pooled: in metrics.json, or on a wider screen."
NONE = "-"


def table(measurement: Measurement, columns: int = WIDTH) -> str:
    """Return statistics of each class and metric, definitions and rules.

    Args:
        measurement: what was measured.
        columns: that there is room for; of few, mean and interval are shown alone.
    """
    longest = max(len(title_of(metric, measurement)) for metric in measurement.metrics)
    narrow = 2 + longest + 2 + len(HEADER) > columns
    width = longest if narrow else longest + 2
    lines = [f"{'':<{width}}  {NARROW_HEADER if narrow else HEADER}"]
    for name in measurement.classes:
        lines += [name, *_rows(measurement, name, width, narrow=narrow)]
    if len(measurement.classes) > 1:
        lines.append("mean of the classes")
        for metric in measurement.metrics:
            mean = value_text(measurement.mean_of_classes(metric), metric)
            title = f"  {title_of(metric, measurement):<{width}}"
            lines.append(f"{title}{mean:>7}" if narrow else f"{title}{mean:>8}")
    lines += [NARROW_NOTE] if narrow else []
    return "\n".join([*lines, *_notes(measurement)])


def _rows(measurement: Measurement, name: str, width: int, *, narrow: bool) -> Iterator[str]:
    for metric in measurement.metrics:
        found = measurement.statistics[name][metric.name]
        title, interval = title_of(metric, measurement), interval_text(found, metric)
        shown = [value_text(value, metric) for value in (found.mean, found.sd, found.median)]
        pooled = value_text(found.pooled, metric)
        if narrow:
            yield f"  {title:<{width}}{shown[0]:>7} {interval.replace(' to ', '-'):>12}"
            continue
        yield (
            f"  {title:<{width}}{shown[0]:>8}  {interval:^18}  {shown[1]:>7}  {shown[2]:>8}  "
            f"{pooled:>7}"
        )


def _notes(measurement: Measurement) -> Iterator[str]:
    yield from measurement.definitions()
    yield INTERVAL_RULE
    empties = list(_empties(measurement))
    yield from [*empties, EMPTY_RULE] if empties else []


def _empties(measurement: Measurement) -> Iterator[str]:
    """Return a line per class with empty masks: how often each part of the rule was used."""
    for name in measurement.classes:
        found = [case.empty[name] for case in measurement.cases]
        kinds = {"both": "both empty", "reference": "no reference", "prediction": "no prediction"}
        told = [f"{words} in {counted(found.count(kind), 'case')}"
                for kind, words in kinds.items() if kind in found]  # fmt: skip
        if told:
            yield f"{name}: {', '.join(told)} of {len(found)}."


def title_of(metric: Metric, measurement: Measurement) -> str:
    """Return a metric's title with its unit."""
    unit = metric.unit(measurement.unit)
    return f"{metric.title} ({unit})" if unit else metric.title


def interval_text(found: Statistic, metric: Metric) -> str:
    """Return a mean's interval as tables have it."""
    if math.isnan(found.low):
        return NONE
    return f"{value_text(found.low, metric)} to {value_text(found.high, metric)}"


def value_text(value: float, metric: Metric) -> str:
    """Return a metric's value as tables have it."""
    if math.isnan(value):
        return NONE
    return decimal_text(value, 2 if metric.in_length else 3)
