"""What many cases come to: mean, spread, and an interval for the mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nnunet_vit.evaluation.bootstrap import mean_interval

RESAMPLES = 2000


@dataclass(frozen=True)
class Statistic:
    """A metric of a class over the cases that have a value.

    Attributes:
        mean: over these cases; NaN where there are none.
        sd: sample standard deviation; NaN for a single case.
        median: likewise over these cases.
        low: of the mean's 95 % interval by bootstrap; NaN for few cases.
        high: likewise.
        cases: how many have a value.
        without: how many have none.
        one_empty: how many of those with a value have one empty mask.
        pooled: the value of all cases' pixels together; NaN for metrics that do not add up.
    """

    mean: float
    sd: float
    median: float
    low: float
    high: float
    cases: int
    without: int
    one_empty: int
    pooled: float = math.nan


def statistic_of(
    values: Sequence[float], *, one_empty: int = 0, pooled: float = math.nan
) -> Statistic:
    """Return what values of cases come to; NaN counts as none."""
    import numpy as np

    found = np.array([value for value in values if not math.isnan(value)])
    without, number = len(values) - len(found), len(found)
    if not number:
        none = math.nan
        return Statistic(none, none, none, none, none, 0, without, one_empty, pooled)
    low, high = mean_interval([[value] for value in found.tolist()], RESAMPLES)
    return Statistic(
        mean=float(found.mean()),
        sd=float(found.std(ddof=1)) if number > 1 else math.nan,
        median=float(np.median(found)),
        low=low,
        high=high,
        cases=number,
        without=without,
        one_empty=one_empty,
        pooled=pooled,
    )
