"""What a metric is: its definition in words, and what it measures on one class of one case."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from nnunet_vit.evaluation.class_masks import ClassMasks, MetricOptions

# for which kind of task a metric is shown unasked: large structures, thin ones, many small ones
Kind = Literal["regions", "vessels", "lesions", "probabilities"]
KINDS: tuple[Kind, ...] = ("regions", "vessels", "lesions", "probabilities")
Counts = Mapping[str, float]  # nnU-Net's TP, FP, FN, TN, in pixels


def nothing(masks: ClassMasks) -> float:
    """Return 0: of the shares, the worst that there is."""
    return 0.0


def diagonal(masks: ClassMasks) -> float:
    """Return the image's diagonal: no distance is longer."""
    return masks.diagonal


def without_reference(masks: ClassMasks) -> float:
    """Return 0, or NaN where it is the reference that is empty: there is nothing to find."""
    return math.nan if masks.empty == "reference" else 0.0


def without_prediction(masks: ClassMasks) -> float:
    """Return 0, or NaN where it is the prediction that is empty: nothing is claimed."""
    return math.nan if masks.empty == "prediction" else 0.0


@dataclass(frozen=True)
class Metric:
    """Something to measure on a class of a case.

    Where neither reference nor prediction has a pixel of the class, a case has no value and counts
    in no mean, as in nnU-Net; where one of both has, it has the value of `of_one_empty`: the worst
    one, or NaN where the metric has no meaning then.

    Attributes:
        name: as `--metrics` takes it and the files have it.
        title: as tables have it.
        definition: in words, one or two sentences; {tolerance}, {overlap} and {unit} are filled in.
        measure: returns the value; NaN where there is none.
        of_one_empty: returns the value where one of both masks is empty, by itself the worst one;
            None: `measure` does, and where both are empty too.
        kinds: of task, for which it is shown unasked.
        order: among the others of a table.
        in_length: whether it is a length, in mm or pixels; else it has no unit.
        lower_is_better: whether 0 is best.
        pooled: returns its value from nnU-Net's counts, added up over all cases.
        of_probabilities: whether it needs them.
    """

    name: str
    title: str
    definition: str
    measure: Callable[[ClassMasks], float]
    of_one_empty: Callable[[ClassMasks], float] | None = nothing
    kinds: tuple[Kind, ...] = ()
    order: int = 100
    in_length: bool = False
    lower_is_better: bool = False
    pooled: Callable[[Counts], float] | None = None
    of_probabilities: bool = False

    def value(self, masks: ClassMasks) -> float:
        """Return what it measures, by the rule for empty masks; NaN: the case does not count."""
        if self.of_one_empty is None or not masks.empty:
            return float(self.measure(masks))
        return math.nan if masks.empty == "both" else float(self.of_one_empty(masks))

    def defined(self, options: MetricOptions, unit: str) -> str:
        """Return the definition with the options that it was measured with."""
        filled = self.definition.replace("{tolerance}", f"{options.tolerance:g}")
        return filled.replace("{overlap}", f"{options.overlap:g}").replace("{unit}", unit)

    def unit(self, length: str) -> str:
        """Return the unit of its values, empty where they have none."""
        return length if self.in_length else ""
