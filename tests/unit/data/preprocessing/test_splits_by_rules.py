"""Splits that keep groups, classes or the run's own folds, through preparing and new cases."""

import json

import numpy as np
import pytest
from PIL import Image

from nnunet_vit.config.models import DataConfig
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.folds.class_amounts import class_amounts
from nnunet_vit.data.folds.fold_rules import FoldCases, rules_of
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.data.preprocessing.refusals import Asked
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit


@pytest.fixture
def prepare_with(raw, nnunet, said):
    """`prepare_with(groups=…)` prepares as a training of that run file does; returns the folds."""

    def run(cases="abcdef", joining="", update=False, **section):
        dataset = find_dataset(5)
        known = FoldCases([*cases, *joining], raw, dataset.preprocessed, ".png", joining=joining)
        rules = rules_of(DataConfig(**section), known)
        asked = Asked(update=update)
        prepare(dataset, "2d", said, asked=asked, fold=0, rules=rules)
        return json.loads((dataset.preprocessed / "splits_final.json").read_text())

    return run


@pytest.fixture
def table(tmp_path):
    def write(**groups):
        path = tmp_path / "mine.csv"
        rows = [f"{case},{name}\n" for name, cases in groups.items() for case in cases]
        path.write_text("".join(["case,group\n", *rows]))
        return str(path)

    return write


def places(splits):
    return {case: number for number, fold in enumerate(splits) for case in fold["val"]}


def test_new_cases_join_their_patient(prepare_with, table, add):
    before = places(prepare_with(groups=table(p="ab", q="c", r="d", s="e", t="f")))
    assert before["a"] == before["b"]
    add("g", "h", "i")
    later = table(p="abg", q="c", r="d", s="e", t="f", u="hi")
    splits = prepare_with(joining="ghi", update=True)  # nothing is said: as they were made
    after = places(splits)
    assert after["g"] == after["a"]
    assert after["h"] == after["i"]
    assert {case: after[case] for case in before} == before
    assert all(sorted(fold["train"] + fold["val"]) == list("abcdefghi") for fold in splits)
    assert prepare_with("abcdefghi", groups=later) == splits


@pytest.mark.parametrize("groups", [False, "(.)"])
def test_new_cases_do_not_join_by_other_groups_than_the_splits(prepare_with, table, add, groups):
    before = prepare_with(groups=table(p="ab", q="c", r="d", s="e", t="f"))
    add("g")
    with pytest.raises(DataError, match="made with groups of cases; this run has others"):
        prepare_with(joining="g", update=True, groups=groups)
    table(p="abg", q="c", r="d", s="e", t="f")
    after = places(prepare_with(joining="g", update=True))
    assert after["g"] == after["a"] == places(before)["a"]


def test_new_cases_go_where_the_runs_own_folds_have_them(prepare_with, tmp_path, add):
    path = tmp_path / "own.json"
    own = [{"train": list("abcd"), "val": list("ef")}, {"train": list("cdef"), "val": list("ab")}]
    path.write_text(json.dumps(own))
    assert prepare_with(splits=str(path)) == own
    add("g", "h")
    own[0]["val"].append("g")
    own[1]["train"].append("g")
    path.write_text(json.dumps(own))
    splits = prepare_with(joining="gh", update=True, splits=str(path))
    assert ["g" in fold["val"] for fold in splits] == [True, False]
    assert places(splits)["h"] == 1
    assert prepare_with("abcdefgh", splits=str(path)) == splits


def test_an_update_that_would_part_a_group_changes_nothing(prepare_with, table, add):
    splits = prepare_with()
    add("g")
    one, other = (fold["val"][0] for fold in splits[:2])
    rest = {case: case for case in "abcdefg" if case not in (one, other)}
    with pytest.raises(DataError, match="a group is in 'train' and in 'val' of folds 0, 1, by"):
        prepare_with(joining="g", update=True, groups=table(p=one + other, **rest))
    assert prepare_with(joining="g", update=True) != splits


def test_classes_are_balanced_by_the_label_files(prepare_with, raw):
    for number, case in enumerate("abcdef"):
        mask = np.zeros((16, 16), np.uint8)
        mask[: number + 1] = 1
        Image.fromarray(mask).save(raw / "labelsTr" / f"{case}.png")
    splits = prepare_with(stratify=True)
    assert {case for fold in splits for case in fold["val"]} == set("abcdef")
    both = next(fold["val"] for fold in splits if len(fold["val"]) == 2)
    assert both == ["a", "b"]  # those with the least of the class


def test_amounts_are_presence_and_share_of_each_class(tmp_path):
    mask = np.zeros((4, 4), np.uint8)
    mask[0], mask[1, :2] = 1, 3
    Image.fromarray(mask).save(tmp_path / "a.png")
    labels = {"background": 0, "all": [1, 2, 3], "core": [2, 3], "none": [2]}
    description = {"labels": labels, "file_ending": ".png", "regions_class_order": [1, 2, 3]}
    assert class_amounts(tmp_path, ["a"], description) == {"a": [1, 1, 0, 0.375, 0.125, 0]}


def test_label_files_that_cannot_be_read_are_named(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    for case in "bc":
        (tmp_path / f"{case}.png").write_bytes(b"no picture")
    with pytest.raises(DataError) as caught:
        class_amounts(tmp_path, "abc", {"labels": {"background": 0}, "file_ending": ".png"})
    assert str(caught.value).startswith(f"{tmp_path}: b.png, c.png: each ")
