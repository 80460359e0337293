"""Metrics of each class as texts, with the interval as a length to draw."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from nnunet_vit.evaluation.case_statistics import Statistic
from nnunet_vit.evaluation.measurement import Measurement
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.evaluation.metric_table import interval_text, title_of, value_text


@dataclass(frozen=True)
class ClassMetric:
    """A metric of a class.

    Attributes:
        class_name: of the class or region.
        metric: the title, with the unit.
        mean: over the cases, with interval, sd, median and pooled; all as texts.
        cases: how many have a value.
        without: how many have none.
        dice: mean, low and high as per cent of 1, of Dice alone; low and high are NaN for few
            cases.
    """

    class_name: str
    metric: str
    mean: str
    interval: str
    sd: str
    median: str
    pooled: str
    cases: int
    without: int
    dice: tuple[float, float, float] | None = None

    @property
    def has_interval(self) -> bool:
        """Whether there is one to draw."""
        return self.dice is not None and not math.isnan(self.dice[1])


def class_metrics(measurement: Measurement) -> list[ClassMetric]:
    """Return a row for each class and metric."""
    return list(_rows(measurement))


def _rows(measurement: Measurement) -> Iterator[ClassMetric]:
    for name in measurement.classes:
        for metric in measurement.metrics:
            found = measurement.statistics[name][metric.name]
            yield ClassMetric(
                name,
                title_of(metric, measurement),
                value_text(found.mean, metric),
                interval_text(found, metric),
                value_text(found.sd, metric),
                value_text(found.median, metric),
                value_text(found.pooled, metric),
                found.cases,
                found.without,
                _dice(found, metric),
            )


def _dice(found: Statistic, metric: Metric) -> tuple[float, float, float] | None:
    if metric.name != "dice" or math.isnan(found.mean):
        return None
    mean, low, high = (
        value if math.isnan(value) else round(100 * min(1.0, max(0.0, value)), 1)
        for value in (found.mean, found.low, found.high)
    )
    return mean, low, high
