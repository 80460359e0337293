"""Intensities of the foreground: counted or drawn, joined over cases."""

import numpy as np
import pytest

from nnunet_vit.data.preprocessing.sampled_intensities import joined, properties_of, sample_of

pytestmark = pytest.mark.unit


def listed(cases, draws):
    """What nnU-Net computes with: the same number of each case, one after the other."""
    random = np.random.RandomState(0)
    return np.concatenate([random.choice(case, draws) for case in cases])


def properties(cases, draws):
    return properties_of(joined([sample_of(case, draws) for case in cases]))


def expected(values):
    low, median, high = np.percentile(values, (0.5, 50, 99.5))
    return {
        "mean": values.mean(dtype=np.float64), "std": values.std(dtype=np.float64),
        "median": median, "percentile_00_5": low, "percentile_99_5": high,
        "min": values.min(), "max": values.max(),
    }  # fmt: skip


@pytest.fixture
def random():
    """The same numbers in each test."""
    return np.random.default_rng(7)


@pytest.mark.parametrize(("low", "high"), [(0, 256), (-1000, 3000), (5, 6), (0, 60_000)])
def test_integers_are_counted_and_each_case_weighs_the_same(random, low, high):
    cases = [random.integers(low, high, size).astype(np.float32) for size in (40, 3000, 700)]
    cases[1] = cases[1] // 2  # a large case that is darker
    own = properties(cases, 100_000)
    spread = max(high - low, 1)
    assert own == pytest.approx(expected(listed(cases, 100_000)), abs=0.01 * spread)
    (counted,) = [sample_of(cases[0], 100_000)]
    assert counted.weights.sum() == pytest.approx(100_000)
    assert len(counted.values) <= len(cases[0])


def test_fractions_are_drawn_as_nnunet_draws_them(random):
    case = random.normal(3, 2, 5000).astype(np.float32)
    own = sample_of(case, 777)
    assert own.weights == 1
    np.testing.assert_array_equal(own.values, np.random.RandomState(1234).choice(case, 777))


def test_fewer_fractions_than_draws_are_all_taken(random):
    cases = [random.normal(3, 2, 5000).astype(np.float32), random.random(70).astype(np.float32)]
    assert len(sample_of(cases[1], 100_000).values) == 70
    own = properties(cases, 100_000)
    assert own == pytest.approx(expected(listed(cases, 100_000)), abs=0.05)


def test_counted_and_drawn_cases_come_together(random):
    cases = [
        random.integers(0, 9, 500).astype(np.float32),
        random.normal(3, 2, 5000).astype(np.float32),
    ]
    own = properties(cases, 50_000)
    assert own == pytest.approx(expected(listed(cases, 50_000)), abs=0.15)


@pytest.mark.parametrize("odd", [2.0**24, -(2.0**30)])
def test_integers_far_apart_are_drawn(odd):
    own = sample_of(np.array([1, 1, odd], np.float32), 2)
    assert (len(own.values), own.weights) == (2, 1)


def test_integers_far_from_zero_are_counted():
    own = sample_of(np.array([2.0**24 + 2, 2.0**24 + 4], np.float32), 10)
    assert own.values.tolist() == [2**24 + 2, 2**24 + 4]
    assert own.weights.tolist() == [5, 5]


def test_a_case_without_foreground_adds_nothing(random):
    case = random.integers(0, 9, 500).astype(np.float32)
    empty = np.zeros(0, np.float32)
    assert properties([empty, case], 100) == properties([case], 100)
    assert not len(joined([sample_of(empty, 5)]).values)
