"""What many cases come to: mean, spread, and an interval for the mean."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

RESAMPLES = 2000
SEED = 0  # the same cases give the same interval
PERCENT = 95


@dataclass(frozen=True)
class Statistic:
    """A metric of a class over the cases that have a value.

    Attributes:
        mean: over these cases; NaN where there are none.
        sd: sample standard deviation; NaN for a single case.
        median: likewise over these cases.
        low: of the mean's 95 % interval: percentiles of bootstrap samples of the cases.
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
    low, high = interval_of(found.tolist())
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


def interval_of(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the values' mean by bootstrap; NaN for a single value."""
    import numpy as np

    if len(values) < 2:
        return math.nan, math.nan
    drawn = np.random.default_rng(SEED).integers(len(values), size=(RESAMPLES, len(values)))
    means = np.asarray(values)[drawn].mean(axis=1)
    low, high = np.percentile(means, [(100 - PERCENT) / 2, (100 + PERCENT) / 2])
    return float(low), float(high)
