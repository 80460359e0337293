"""Runs compared on the same cases, metric by metric and class by class."""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from nnunet_vit.evaluation.comparing.paired_statistics import (
    Difference,
    corrected,
    difference_of,
    patient_means,
)
from nnunet_vit.evaluation.comparing.run_results import RunResults
from nnunet_vit.evaluation.measurement import Measurement
from nnunet_vit.evaluation.metric import Metric

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
        measurements: of each run; their cases are in one order.
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

    @property
    def names(self) -> list[str]:
        """What each run is called: its folder, or its path where folders share a name."""
        names = [run.name for run in self.runs]
        return [
            name if names.count(name) == 1 else str(run.path)
            for name, run in zip(names, self.runs, strict=True)
        ]

    def values(self, run: int, metric: Metric, class_name: str) -> dict[str, float]:
        """Return a run's value of each case that has one in all runs.

        A class that a case lacks, and that a run rightly left out, is a best value here, so that
        another run's false find counts against that one.
        """
        return self._common[metric.name, class_name][run]

    def left_out(self, metric: Metric, class_name: str) -> int:
        """Return in how many cases some runs have a value and others have none."""
        if class_name == MEAN:
            return 0
        known = self._known(metric, class_name).values()
        return sum(0 < sum(map(math.isnan, values)) < len(values) for values in known)

    @cached_property
    def _common(self) -> dict[tuple[str, str], list[dict[str, float]]]:
        """Each run's values of the cases that have one in all runs, by metric and class."""
        return {
            (metric.name, name): values
            for metric in self.metrics
            for name, values in self._by_class(metric).items()
        }

    def _by_class(self, metric: Metric) -> dict[str, list[dict[str, float]]]:
        runs, found = range(len(self.runs)), {}
        for name in self.measurements[0].classes:
            known = self._known(metric, name)
            kept = {case: all_ for case, all_ in known.items() if not any(map(math.isnan, all_))}
            found[name] = [{case: values[run] for case, values in kept.items()} for run in runs]
        means = [_mean_per_case([values[run] for values in found.values()]) for run in runs]
        return {**found, MEAN: means}

    def _known(self, metric: Metric, class_name: str) -> dict[str, list[float]]:
        """Return all runs' values of each case.

        One that rightly found nothing has the best value, if another one has a value.
        """
        best, found = 0.0 if metric.lower_is_better else 1.0, {}
        for cases in zip(*(measurement.cases for measurement in self.measurements), strict=True):
            values = [case.values[class_name][metric.name] for case in cases]
            if not all(map(math.isnan, values)):
                right = [case.empty[class_name] == "both" for case in cases]
                values = [
                    best if math.isnan(value) and is_right else value
                    for value, is_right in zip(values, right, strict=True)
                ]
            found[cases[0].name] = values
        return found

    @cached_property
    def rows(self) -> list[Row]:
        """Each pair of runs, metric and class, corrected for all of a metric's comparisons."""
        return [row for metric in self.metrics for row in self._of(metric)]

    def mean(self, run: int, metric: Metric, class_name: str) -> float:
        """Return a run's mean over patients, of the cases that have a value in all runs."""
        means = self.patient_means(run, metric, class_name)
        return statistics.fmean(means) if means else math.nan

    def sd(self, run: int, metric: Metric, class_name: str) -> float:
        """Return the sample standard deviation beside that mean; NaN for a single patient."""
        means = self.patient_means(run, metric, class_name)
        return statistics.stdev(means) if len(means) > 1 else math.nan

    def patient_means(self, run: int, metric: Metric, class_name: str) -> list[float]:
        """Return the mean of each patient's cases that have a value in all runs."""
        return patient_means(self.values(run, metric, class_name), self.patients)

    def _of(self, metric: Metric) -> list[Row]:
        found = [
            Row(metric, name, one, other, difference)
            for name in self.classes
            for one, other in itertools.combinations(range(len(self.runs)), 2)
            if (difference := self._difference(metric, name, one, other=other)) is not None
        ]
        differences = corrected([row.difference for row in found])
        return [
            replace(row, difference=difference)
            for row, difference in zip(found, differences, strict=True)
        ]

    def _difference(self, metric: Metric, name: str, one: int, *, other: int) -> Difference | None:
        first, second = (self.values(run, metric, name) for run in (one, other))
        return difference_of(second, first, self.patients)


def _mean_per_case(classes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return each case's mean over the classes of which all runs have a value."""
    cases = dict.fromkeys(case for values in classes for case in values)
    found = {case: [values[case] for values in classes if case in values] for case in cases}
    return {case: sum(values) / len(values) for case, values in found.items()}
