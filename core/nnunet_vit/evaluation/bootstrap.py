"""Intervals of means by drawing cases, or patients with their cases, again and again."""

import math
from collections.abc import Sequence

FEWEST = 5  # of what is drawn, below which no interval is honest
SEED = 0  # the same cases give the same interval


def mean_interval(groups: Sequence[Sequence[float]], resamples: int) -> tuple[float, float]:
    """Return the 95 % interval of the mean over all values; NaN for fewer than 5 groups.

    Plain percentiles are too narrow for few groups; these are expanded by what makes the interval
    of a normal mean right (Hesterberg, What teachers should know about the bootstrap, 2015).

    Args:
        groups: values of a patient each; the groups are drawn, with all their values.
        resamples: how often.
    """
    import numpy as np
    from scipy.stats import norm, t

    count = len(groups)
    if count < FEWEST:
        return math.nan, math.nan
    sums, sizes = (np.array([of(group) for group in groups]) for of in (sum, len))
    drawn = np.random.default_rng(SEED).integers(count, size=(resamples, count))
    means = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    tail = 100 * norm.cdf(math.sqrt(count / (count - 1)) * t.ppf(0.025, count - 1))
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)
