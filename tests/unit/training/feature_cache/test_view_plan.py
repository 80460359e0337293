"""Which views there are and which a step draws: as nnU-Net draws cases, by the seed alone."""

from collections import Counter

import numpy as np
import pytest
from view_plans import CASES, plan_of

pytestmark = pytest.mark.unit


def is_forced(plan, view):
    return bool(plan.kinds[view % plan.batch])


@pytest.mark.parametrize(("batch", "forced"), [(2, 1), (3, 1), (4, 1), (6, 2), (12, 4), (1, 0)])
@pytest.mark.parametrize("views", [4, 7])
@pytest.mark.parametrize("count", [1, 10, 33])
def test_each_case_has_as_many_views_of_each_kind_as_another(batch, forced, views, count):
    cases = [str(number) for number in range(count)]
    plan = plan_of(cases, batch, forced, views)
    assert views * count <= plan.count < views * count + batch
    for kind in {False, True} if forced else {False}:
        found = Counter(
            plan.case_of(view) for view in range(plan.count) if is_forced(plan, view) == kind
        )
        assert found.keys() == set(cases)
        assert max(found.values()) - min(found.values()) <= 1


def test_groups_hold_the_views_in_order():
    plan = plan_of()
    for step in range(plan.lots):
        views = plan.of_step(step)
        assert views == list(range(6 * step, 6 * step + 6))
        assert [plan.case_of(view) for view in views] == plan.cases_of(step)


def test_drawn_steps_keep_the_share_of_forced_views_and_draw_cases_alike():
    plan = plan_of()
    drawn = [plan.of_step(step) for step in range(plan.lots, plan.lots + 2000)]
    assert all([is_forced(plan, view) for view in views] == [False] * 4 + [True] * 2
               for views in drawn)  # fmt: skip
    cases = Counter(plan.case_of(view) for views in drawn for view in views)
    expected = 2000 * 6 / 10
    assert all(abs(count - expected) < 5 * np.sqrt(expected) for count in cases.values())
    assert len({view for views in drawn for view in views}) == plan.count


def test_a_step_depends_on_seed_and_number_alone():
    one, other = plan_of(), plan_of(cases=CASES[::-1])
    for step in (50, 20, 3):
        assert one.of_step(step) == other.of_step(step)
    assert [one.cases_of(lot) for lot in range(7)] == [other.cases_of(g) for g in range(7)]
    assert one.of_step(20) != one.of_step(21)
    assert one.of_step(20) != plan_of(seed=8).of_step(20)
    assert one.cases_of(0) != plan_of(seed=8).cases_of(0)
