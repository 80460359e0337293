"""What a folder of masks came to: values of every case, and what they come to together."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nnunet_vit.evaluation.bootstrap import FEWEST
from nnunet_vit.evaluation.case_statistics import RESAMPLES, Statistic, statistic_of
from nnunet_vit.evaluation.class_masks import MetricOptions
from nnunet_vit.evaluation.measuring import CaseValues
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.evaluation.threshold import Threshold

EMPTY_RULE = (
    "A case whose reference and prediction both lack a class has no value and counts in no mean. "
    "One of both empty: the worst value, 0 or for distances the image's diagonal; recall has no "
    "value without a reference, precision none without a prediction."
)
INTERVAL_RULE = (
    f"95 % interval of the mean, from {FEWEST} cases on: expanded percentiles of {RESAMPLES} "
    "bootstrap samples of the cases; too narrow where cases share a patient, or where few cases "
    "fail badly."
)


def known_mean(means: Iterable[float]) -> float:
    """Return the mean of what has a value, of classes' means for one; NaN: nothing has."""
    found = [mean for mean in means if not math.isnan(mean)]
    return sum(found) / len(found) if found else math.nan


def left_out_text(means: Mapping[str, float]) -> str:
    """Return which classes `known_mean` leaves out, for people; empty: none."""
    names = [name for name, mean in means.items() if math.isnan(mean)]
    if not names:
        return ""
    return f"without {', '.join(names)}: in no mask, which is no value"


@dataclass(frozen=True, eq=False)  # cached properties are kept beside the fields
class Measurement:
    """Metrics of a folder of masks.

    Attributes:
        metrics: what was measured, as tables have it.
        options: of the metrics.
        classes: names of the foreground classes or regions.
        cases: what each case came to.
        fields: folder of the masks outside which nothing counts; None: all pixels do.
        threshold: by which the masks were made of probabilities; None: they are what was
            predicted.
    """

    metrics: Sequence[Metric]
    options: MetricOptions
    classes: Sequence[str]
    cases: Sequence[CaseValues]
    fields: Path | None = None
    threshold: Threshold | None = None

    @property
    def unit(self) -> str:
        """The unit of lengths."""
        return self.cases[0].unit

    def definitions(self) -> list[str]:
        """Return each metric's title and definition, and which pixels count."""
        found = [f"{m.title}: {m.defined(self.options, self.unit)}" for m in self.metrics]
        inside = f"Only pixels inside the masks of {self.fields} count."
        return [*found, *[inside] * (self.fields is not None)]

    @cached_property
    def statistics(self) -> Mapping[str, Mapping[str, Statistic]]:
        """What the cases come to together, by class and metric."""
        return {
            name: {metric.name: self._of(name, metric) for metric in self.metrics}
            for name in self.classes
        }

    def mean_of_classes(self, metric: Metric) -> float:
        """Return the mean of what has a value, of classes' means for one; NaN: nothing has."""
        return known_mean(self.means(metric).values())

    def means(self, metric: Metric) -> dict[str, float]:
        """Return the mean of each class."""
        return {name: self.statistics[name][metric.name].mean for name in self.classes}

    def _of(self, name: str, metric: Metric) -> Statistic:
        values = [case.values[name][metric.name] for case in self.cases]
        one_empty = [
            case.empty[name] in ("reference", "prediction") and not math.isnan(value)
            for case, value in zip(self.cases, values, strict=True)
        ]
        return statistic_of(values, one_empty=sum(one_empty), pooled=self._pooled(name, metric))

    def _pooled(self, name: str, metric: Metric) -> float:
        if metric.pooled is None:
            return math.nan
        counts = [case.counts[name] for case in self.cases]
        total = {key: float(sum(each[key] for each in counts)) for key in counts[0]}
        try:
            return float(metric.pooled(total))
        except ZeroDivisionError:  # a class that no mask has
            return math.nan
