"""Runs compared on the same cases, metric by metric and class by class."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nnunet_vit.evaluation.comparing.paired_statistics import (
    Difference,
    corrected,
    difference_of,
    mean_of_patients,
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
        return self._common(metric, class_name)[run]

    def left_out(self, metric: Metric, class_name: str) -> int:
        """Return in how many cases some runs have a value and others have none."""
        if class_name == MEAN:
            return 0
        found = [self._known(run, metric, class_name) for run in range(len(self.runs))]
        have = [{case for case, value in each.items() if not math.isnan(value)} for each in found]
        return len(have[0].union(*have[1:]) - have[0].intersection(*have[1:]))

    def _common(self, metric: Metric, class_name: str) -> list[dict[str, float]]:
        if class_name == MEAN:
            classes = self.measurements[0].classes
            each_class = [self._common(metric, name) for name in classes]
            return [
                _mean_per_case([of_class[run] for of_class in each_class])
                for run in range(len(self.runs))
            ]
        found = [self._known(run, metric, class_name) for run in range(len(self.runs))]
        kept = [case for case in found[0] if not any(math.isnan(each[case]) for each in found)]
        return [{case: each[case] for case in kept} for each in found]

    def _known(self, run: int, metric: Metric, class_name: str) -> dict[str, float]:
        """Return a run's values; the best one where it rightly found nothing and others did not."""
        best, found = 0.0 if metric.lower_is_better else 1.0, {}
        for cases in zip(*(measurement.cases for measurement in self.measurements), strict=True):
            values = [case.values[class_name][metric.name] for case in cases]
            own, right = values[run], cases[run].empty[class_name] == "both"
            others = any(not math.isnan(value) for value in values)
            found[cases[run].name] = best if math.isnan(own) and right and others else own
        return found

    @cached_property
    def rows(self) -> list[Row]:
        """Each pair of runs, metric and class, corrected for all of a metric's comparisons."""
        return [row for metric in self.metrics for row in self._of(metric)]

    def mean(self, run: int, metric: Metric, class_name: str) -> float:
        """Return a run's mean over patients, of the cases that have a value in all runs."""
        return mean_of_patients(self.values(run, metric, class_name), self.patients)

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


def _mean_per_case(classes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return each case's mean over the classes of which all runs have a value."""
    cases = dict.fromkeys(case for values in classes for case in values)
    found = {case: [values[case] for values in classes if case in values] for case in cases}
    return {case: sum(values) / len(values) for case, values in found.items()}
