"""Differences of runs: planted ones are found, noise is called noise."""

import math
import re

import numpy as np
import pytest
from scipy.stats import ttest_1samp, wilcoxon

from nnunet_vit.evaluation.comparing import paired_statistics
from nnunet_vit.evaluation.comparing.paired_statistics import (
    can_be_shown,
    corrected,
    difference_of,
)

pytestmark = pytest.mark.unit

TRIALS = 600


def simulated(random, cases, planted=0.0, per_patient=1):
    """Return Dice of two trainings of one kind on the same cases, and the patients."""
    patients = np.arange(cases) // per_patient
    hard = random.beta(8, 2, cases)  # cases differ more than runs do
    whims = random.normal(0, 0.04, (2, patients.max() + 1))[:, patients]
    noise = random.normal(0, 0.02, (2, cases))
    one, other = np.clip(hard + whims + noise + np.array([[0], [planted]]), 0, 1)
    names = [f"case_{number}" for number in range(cases)]
    return (
        dict(zip(names, one.tolist(), strict=True)),
        dict(zip(names, other.tolist(), strict=True)),
        dict(zip(names, map(str, patients), strict=True)),
    )


def is_called(random, classes=3, **given):
    """Tell whether any class of a comparison, or their mean, is called different."""
    drawn = [simulated(random, **given) for _ in range(classes)]
    patients = drawn[0][2]
    means = [
        {case: sum(each[run][case] for each in drawn) / classes for case in patients}
        for run in (0, 1)
    ]
    pairs = [*(each[:2] for each in drawn), means]
    found = [difference_of(other, one, patients) for one, other in pairs]
    return any(difference.is_shown for difference in corrected(found))


@pytest.fixture(autouse=True)
def fewer_samples(monkeypatch):
    """Intervals of thousands of simulated comparisons."""
    monkeypatch.setattr(paired_statistics, "RESAMPLES", 400)


@pytest.mark.parametrize("per_patient", [1, 4])
def test_other_seeds_of_one_run_are_noise(per_patient):
    random = np.random.default_rng(per_patient)
    alarms = [is_called(random, cases=40, per_patient=per_patient) for _ in range(TRIALS)]
    assert sum(alarms) <= 0.06 * TRIALS


def test_cases_of_a_patient_taken_for_independent_would_raise_alarms():
    """The simulation can fail: without the patients it does."""
    random, alarms = np.random.default_rng(0), 0
    for _ in range(TRIALS):
        one, other, patients = simulated(random, cases=40, per_patient=8)
        (found,) = corrected([difference_of(other, one, {case: case for case in patients})])
        alarms += found.is_shown
    assert alarms > 0.06 * TRIALS


def test_a_planted_difference_is_found():
    random = np.random.default_rng(7)
    found = [is_called(random, cases=40, planted=0.06) for _ in range(50)]
    assert sum(found) >= 45


def test_the_numbers_of_a_difference():
    one = {"a": 0.5, "b": 0.6, "c": 0.7, "d": math.nan, "e": 0.9, "f": 0.4}
    other = {"a": 0.4, "b": 0.3, "c": 0.75, "d": 0.5, "e": 0.9, "f": 0.2}
    found = difference_of(one, other, {case: case for case in one})
    assert (found.higher, found.lower, found.cases, found.patients) == (3, 1, 5, 5)
    assert found.mean == pytest.approx((0.1 + 0.3 - 0.05 + 0.2) / 5)
    assert found.effect == pytest.approx((2 + 4 + 3 - 1) / 10)
    ranks, student = wilcoxon([0.1, 0.3, -0.05, 0.2]), ttest_1samp([0.1, 0.3, -0.05, 0, 0.2], 0)
    assert found.p == pytest.approx(max(ranks.pvalue, student.pvalue))
    assert found.low < found.mean < found.high


def test_patients_are_tested_by_their_means():
    one = {"a1": 0.9, "a2": 0.9, "a3": 0.9, "b1": 0.4}
    other = dict.fromkeys(one, 0.5)
    found = difference_of(one, other, {case: case[0] for case in one})
    assert (found.cases, found.patients, found.higher, found.lower) == (4, 2, 3, 1)
    assert found.mean == pytest.approx((0.4 - 0.1) / 2)
    assert found.p == pytest.approx(
        max(wilcoxon([0.4, -0.1]).pvalue, ttest_1samp([0.4, -0.1], 0).pvalue)
    )


def test_equal_runs():
    values = {"a": 0.5, "b": 0.25}
    found = difference_of(values, dict(values), {"a": "a", "b": "b"})
    assert (found.mean, found.p, found.effect, found.higher, found.lower) == (0, 1, 0, 0, 0)


def test_rounding_is_no_difference():
    found = difference_of({"a": 0.1 + 0.2}, {"a": 0.3}, {"a": "a"})
    assert (found.higher, found.mean) == (0, 0)


def test_no_case_in_common():
    assert difference_of({"a": math.nan}, {"a": 0.5}, {"a": "a"}) is None


def test_holms_correction():
    """The example of Holm's rule: 0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02."""
    blank = difference_of({"a": 1.0, "b": 2.0}, {"a": 0.5, "b": 1.0}, {"a": "a", "b": "b"})
    from dataclasses import replace

    found = corrected([replace(blank, p=p) for p in (0.01, 0.04, 0.03, 0.005)])
    assert [one.p_holm for one in found] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert corrected([]) == []


def test_patients_with_many_cases_turn_no_sign():
    """5 patients with 20 cases that are better, 15 with one that is worse: p and sign agree."""
    one = {f"{patient}_{case}": 0.6 for patient in range(5) for case in range(20)}
    one |= {f"{patient}_0": 0.4 for patient in range(5, 20)}
    other = dict.fromkeys(one, 0.5)
    found = difference_of(one, other, {case: case.split("_")[0] for case in one})
    assert found.mean == pytest.approx((5 * 0.1 - 15 * 0.1) / 20)
    assert found.effect < 0
    assert found.low <= found.mean <= found.high


def test_an_interval_of_few_patients_is_none():
    cases = dict(zip("abcde", (0.5, 0.6, 0.7, 0.8, 0.9), strict=True))
    worse = {case: value - 0.1 * number for number, (case, value) in enumerate(cases.items())}
    groups = {case: case for case in cases}
    found = difference_of(cases, worse, groups)
    assert re.fullmatch(r"\+0\.\d{2} to \+0\.\d{2}", found.interval_text(2))
    del cases["e"]
    assert difference_of(cases, worse | {"e": math.nan}, groups).interval_text(2) == "-"


def test_how_many_patients_it_takes():
    assert not can_be_shown(5, 1) and can_be_shown(6, 1)
    assert not can_be_shown(6, 2) and can_be_shown(7, 2)
    for patients in range(3, 9):  # the smallest p of all that many could come to
        least = wilcoxon(np.arange(1.0, patients + 1)).pvalue
        assert can_be_shown(patients, 1) == (least < paired_statistics.LEVEL)
