"""Is one run better than another on the same cases, or is the difference noise?

Cases of one patient are no independent evidence: they are drawn together, and tested as one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nnunet_vit.evaluation.bootstrap import mean_interval
from nnunet_vit.quantities import decimal_text

RESAMPLES = 5000
LEVEL = 0.05  # of Holm's correction, below which a difference is called one
EQUAL = 1e-12  # differences up to it are ties: two ways of computing one number


@dataclass(frozen=True)
class Difference:
    """One run's values minus another's, over cases that have a value in both.

    Attributes:
        mean: over patients, of the means of their cases' differences.
        low: of the mean's 95 % interval, by a bootstrap of patients.
        high: likewise.
        p: of Wilcoxon's signed-rank and Student's paired test of patients, the larger one.
        effect: matched-pairs rank-biserial correlation, -1 to 1; 0: as many up as down.
        higher: cases in which the first run's value is higher.
        lower: cases in which it is lower.
        cases: how many have a value in both.
        patients: of these cases.
        p_holm: p with Holm's correction for all differences that are looked at together.
    """

    mean: float
    low: float
    high: float
    p: float
    effect: float
    higher: int
    lower: int
    cases: int
    patients: int
    p_holm: float = math.nan

    @property
    def is_shown(self) -> bool:
        """Whether the difference is more than noise: by the corrected test and the interval."""
        return self.p_holm < LEVEL and (self.low > 0 or self.high < 0)

    def interval_text(self, places: int) -> str:
        """Return the interval as tables have it; of too few patients there is none."""
        if math.isnan(self.low):
            return "-"
        ends = (decimal_text(end, places, signed=True) for end in (self.low, self.high))
        return " to ".join(ends)


def can_be_shown(patients: int, comparisons: int) -> bool:
    """Tell whether that many patients can show a difference, in the best case.

    Wilcoxon's two-sided p of signs that all agree is 2 / 2 ** patients; Holm's smallest p is
    multiplied by the number of comparisons.
    """
    return comparisons * 2.0 ** (1 - patients) < LEVEL


def difference_of(
    one: Mapping[str, float], other: Mapping[str, float], patients: Mapping[str, str]
) -> Difference | None:
    """Return the difference of two runs; None where no case has a value in both.

    Args:
        one: the first run's value of each case; NaN: none.
        other: the second run's.
        patients: of each case.
    """
    import numpy as np

    paired = {
        case: one[case] - other[case]
        for case in one
        if not (math.isnan(one[case]) or math.isnan(other[case]))
    }
    if not paired:
        return None
    values = np.array([0.0 if abs(value) <= EQUAL else value for value in paired.values()])
    means = patient_means(dict(zip(paired, values.tolist(), strict=True)), patients)
    low, high = mean_interval([[mean] for mean in means], RESAMPLES)
    p, effect = _tested(means)
    return Difference(
        mean=float(np.mean(means)),
        low=low,
        high=high,
        p=p,
        effect=effect,
        higher=int((values > 0).sum()),
        lower=int((values < 0).sum()),
        cases=len(values),
        patients=len(means),
    )


def patient_means(values: Mapping[str, float], patients: Mapping[str, str]) -> list[float]:
    """Return the mean of each patient's cases, which all means, intervals and tests look at."""
    groups: dict[str, list[float]] = {}
    for case, value in values.items():
        groups.setdefault(patients[case], []).append(value)
    return [sum(group) / len(group) for group in groups.values()]


def corrected(differences: Sequence[Difference]) -> list[Difference]:
    """Return the differences with p by Holm's step-down correction for all of them.

    Source: Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    order = sorted(range(len(differences)), key=lambda number: differences[number].p)
    found, before = dict.fromkeys(order, 1.0), 0.0
    for rank, number in enumerate(order):
        before = max(before, min(1.0, (len(order) - rank) * differences[number].p))
        found[number] = before
    return [replace(one, p_holm=found[number]) for number, one in enumerate(differences)]


def _tested(values: Sequence[float]) -> tuple[float, float]:
    """Return p and rank-biserial correlation; patients without a difference have no rank.

    p is the larger one of two tests: Student's t looks at the mean, which is shown, and Wilcoxon's
    signed ranks do not follow single patients. A difference has to convince both.
    """
    import numpy as np
    from scipy.stats import rankdata, ttest_1samp, wilcoxon

    found = np.array(values)
    nonzero = found[found != 0]
    if not len(nonzero):
        return 1.0, 0.0
    ranks = rankdata(np.abs(nonzero))
    effect = float((ranks * np.sign(nonzero)).sum() / ranks.sum())
    p = float(wilcoxon(nonzero).pvalue)
    if len(found) > 1 and np.ptp(found) > 0:
        p = max(p, float(ttest_1samp(found, 0).pvalue))
    return p, effect
