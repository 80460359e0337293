"""Runs compared on the same cases, metric by metric and class by class."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nnunet_vit.evaluation.measurement import Measurement
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.evaluation.paired_statistics import Difference, corrected, difference_of
from nnunet_vit.evaluation.run_results import RunResults

MEAN = "mean of the classes"


@dataclass(frozen=True)
class Row:
    """A metric of a class in two runs.

    Attributes:
        metric: what was measured.
        class_name: of a class or region, or the mean of all.
        one: number of the first run.
        other: number of the second run.
        difference: of the second minus the first.
    """

    metric: Metric
    class_name: str
    one: int
    other: int
    difference: Difference

    @property
    def better(self) -> int | None:
        """The number of the better run; None: the difference may be noise."""
        if not self.difference.is_shown:
            return None
        second_is_better = (self.difference.mean > 0) != self.metric.lower_is_better
        return self.other if second_is_better else self.one


@dataclass(frozen=True, eq=False)  # cached properties are kept beside the fields
class Comparison:
    """Runs with the same cases.

    Attributes:
        runs: two or more.
        measurements: of each run.
        patients: of each case.
    """

    runs: Sequence[RunResults]
    measurements: Sequence[Measurement]
    patients: Mapping[str, str]

    @property
    def metrics(self) -> Sequence[Metric]:
        """What was measured."""
        return self.measurements[0].metrics

    @property
    def classes(self) -> list[str]:
        """The classes, and their mean where there are several."""
        names = list(self.measurements[0].classes)
        return [*names, MEAN] if len(names) > 1 else names

    def values(self, run: int, metric: Metric, class_name: str) -> dict[str, float]:
        """Return a run's value of each case; NaN where a case has none."""
        cases = self.measurements[run].cases
        if class_name != MEAN:
            return {case.name: case.values[class_name][metric.name] for case in cases}
        return {
            case.name: _mean([values[metric.name] for values in case.values.values()])
            for case in cases
        }

    @cached_property
    def rows(self) -> list[Row]:
        """Each pair of runs, metric and class, corrected for all of a metric's comparisons."""
        return [row for metric in self.metrics for row in self._of(metric)]

    def mean(self, run: int, metric: Metric, class_name: str) -> float:
        """Return a run's mean over the cases that have a value."""
        return _mean(list(self.values(run, metric, class_name).values()))

    def _of(self, metric: Metric) -> list[Row]:
        found = [
            Row(metric, name, one, other, difference)
            for name in self.classes
            for one, other in itertools.combinations(range(len(self.runs)), 2)
            if (difference := self._difference(metric, name, one, other=other)) is not None
        ]
        differences = corrected([row.difference for row in found])
        return [
            Row(row.metric, row.class_name, row.one, row.other, difference)
            for row, difference in zip(found, differences, strict=True)
        ]

    def _difference(self, metric: Metric, name: str, one: int, *, other: int) -> Difference | None:
        first, second = (self.values(run, metric, name) for run in (one, other))
        return difference_of(second, first, self.patients)


def _mean(values: Sequence[float]) -> float:
    found = [value for value in values if not math.isnan(value)]
    return sum(found) / len(found) if found else math.nan
