"""Folds of whole groups, for any groups: nothing leaks, sizes are even, order is of no account."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnunet_vit.data.folds.fold_making import (
    balanced_places,
    even_places,
    imbalance,
    splits_of_groups,
)
from nnunet_vit.data.splits import extended

pytestmark = pytest.mark.unit

SIZES = st.lists(st.integers(1, 6), min_size=5, max_size=20)
TEXTS = st.text(min_size=1, max_size=5)


@st.composite
def grouped_cases(draw):
    """The group of each case: any names, and groups of any sizes."""
    sizes = draw(SIZES)
    names = draw(st.lists(TEXTS, min_size=len(sizes), max_size=len(sizes), unique=True))
    cases = [f"{name}_{number}" for name, size in zip(names, sizes, strict=True)
             for number in range(size)]  # fmt: skip
    groups = [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]
    return {f"{place}_{case}": group
            for place, (case, group) in enumerate(zip(cases, groups, strict=True))}  # fmt: skip


@st.composite
def cases_with_classes(draw):
    groups = draw(grouped_cases())
    classes = draw(st.integers(1, 4))
    amount = st.one_of(st.just(0.0), st.just(1.0), st.floats(0, 1, width=16))
    row = st.lists(amount, min_size=classes, max_size=classes)
    return groups, {case: draw(row) for case in groups}


def assert_sound(splits, groups):
    assert len(splits) == 5
    for fold in splits:
        assert sorted(fold["train"] + fold["val"]) == sorted(groups)
        assert not {groups[c] for c in fold["train"]} & {groups[c] for c in fold["val"]}
        assert fold["val"]
    assert Counter(case for fold in splits for case in fold["val"]) == Counter(list(groups))
    sizes = [len(fold["val"]) for fold in splits]
    assert max(sizes) - min(sizes) <= max(Counter(groups.values()).values())


@settings(deadline=None, max_examples=60)
@given(grouped_cases(), st.randoms())
def test_no_group_on_two_sides_every_case_once_and_even_sizes(groups, shuffled):
    splits = splits_of_groups(groups)
    assert_sound(splits, groups)
    order = list(groups)
    shuffled.shuffle(order)
    assert splits_of_groups({case: groups[case] for case in order}) == splits


@settings(deadline=None, max_examples=60)
@given(cases_with_classes(), st.randoms())
def test_balanced_folds_are_as_sound_and_no_worse_balanced(drawn, shuffled):
    groups, amounts = drawn
    splits = splits_of_groups(groups, amounts)
    assert_sound(splits, groups)
    order = list(groups)
    shuffled.shuffle(order)
    anew = splits_of_groups({c: groups[c] for c in order}, {c: amounts[c] for c in order})
    assert anew == splits
    assert unevenness(splits, amounts) <= unevenness(splits_of_groups(groups), amounts) + 1e-9


def unevenness(splits, amounts):
    places = {case: number for number, fold in enumerate(splits) for case in fold["val"]}
    return imbalance(places, amounts)


@settings(deadline=None, max_examples=60)
@given(grouped_cases(), st.data())
def test_cases_that_join_later_stay_with_their_group(groups, data):
    known = set(groups.values())
    group = st.one_of(st.sampled_from(sorted(known)), TEXTS.map(lambda name: f"new {name}"))
    new = {f"new_{number}": data.draw(group) for number in range(data.draw(st.integers(1, 8)))}
    before = splits_of_groups(groups)
    splits = extended(before, list(new), {**groups, **new})
    everyone = {**groups, **new}
    for fold, old in zip(splits, before, strict=True):
        assert not {everyone[c] for c in fold["train"]} & {everyone[c] for c in fold["val"]}
        assert all(fold[side][: len(old[side])] == old[side] for side in old)
    assert Counter(case for fold in splits for case in fold["val"]) == Counter(list(everyone))


def test_a_rare_class_is_in_every_fold():
    draw = random.Random(0)
    cases = {f"case_{number:03}": f"case_{number:03}" for number in range(100)}
    rare = set(draw.sample(sorted(cases), 5))
    amounts = {case: [float(case in rare), draw.random()] for case in cases}
    splits = splits_of_groups(cases, amounts)
    assert [len(rare & set(fold["val"])) for fold in splits] == [1, 1, 1, 1, 1]
    assert [len(fold["val"]) for fold in splits] == [20, 20, 20, 20, 20]


def test_a_group_as_large_as_all_others_has_a_fold_of_its_own():
    sizes = {"large": 50, **{f"p{number}": 1 for number in range(20)}}
    places = even_places(sizes)
    assert [name for name in places if places[name] == places["large"]] == ["large"]


def test_groups_are_not_dealt_in_the_order_of_their_names():
    sizes = {f"site{number // 10}_{number:02}": 1 for number in range(50)}
    places = even_places(sizes)
    assert len({places[name] for name in sorted(sizes)[:10]}) > 2
    assert [places[name] for name in sorted(sizes)] != [number % 5 for number in range(50)]


def test_classes_that_nobody_has_do_not_matter():
    sizes = {f"p{number}": 1 for number in range(10)}
    amounts = {name: [0.0, 1.0] for name in sizes}
    places = balanced_places(sizes, amounts)
    assert Counter(places.values()) == dict.fromkeys(range(5), 2)
    assert imbalance(places, amounts) == pytest.approx(0)
