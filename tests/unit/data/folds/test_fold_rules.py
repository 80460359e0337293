"""Splits that are there and the run file: what contradicts is refused, with both ways out."""

import json

import pytest
from fold_cases import checked_fold

from nnunet_vit.config.models import DataConfig
from nnunet_vit.data.folds.first_splits import ensure_splits, first_splits
from nnunet_vit.data.folds.fold_rules import FoldCases, rules_of
from nnunet_vit.data.splits import usual_splits
from nnunet_vit.errors import ConfigError, DataError

pytestmark = pytest.mark.unit

CASES = [f"P{number // 2}_{number % 2}" for number in range(12)]
PATTERN = r"P(\d+)_"
OTHERS = r"_(\d)"  # every fold has both of these on both sides


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Dataset005_Mine").mkdir()
    return tmp_path / "Dataset005_Mine"


@pytest.fixture
def raw(tmp_path):
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


@pytest.fixture
def check(folder, raw):
    def of(fold=0, cases=CASES, joining=(), **said):
        path = folder / "splits_final.json"
        return checked_fold(path, fold, cases, joining=joining, data=DataConfig(**said), raw=raw)

    return of


@pytest.fixture
def make(folder, raw):
    """Write the splits as the first training of a run does; returns what it said."""

    def of(cases=CASES, **said):
        lines = []
        rules = rules_of(DataConfig(**said), FoldCases(cases, raw, folder))
        ensure_splits(folder, cases, rules, labels=folder, description={}, log=lines.append)
        return lines

    return of


def sides(folder):
    content = json.loads((folder / "splits_final.json").read_text())
    return [[{case[:2] for case in fold[side]} for side in ("train", "val")] for fold in content]


def refusal(check, **said):
    with pytest.raises(DataError) as caught:
        check(**said)
    return caught.value


def test_where_nothing_is_said_folds_are_nnunets(make, folder):
    assert make() == []
    assert json.loads((folder / "splits_final.json").read_text()) == usual_splits(CASES)
    assert sorted(file.name for file in folder.iterdir()) == ["splits_final.json"]


def test_groups_stay_together(make, check, folder):
    assert make(groups=PATTERN) == [
        f"{folder / 'splits_final.json'}: 5 folds of 6 groups by data.groups ({PATTERN}); "
        "validation cases: 4, 2, 2, 2, 2."
    ]
    assert all(not train & val for train, val in sides(folder))
    assert check(groups=PATTERN) == []
    assert check() == []  # a run that says nothing shares them


def test_folds_that_are_moved_away_are_made_again_by_what_is_said_then(make, folder):
    make(groups=PATTERN)
    splits = (folder / "splits_final.json").read_text()
    (folder / "splits_final.json").unlink()
    (line,) = make()  # says nothing: patients stay together as before
    assert "5 folds of 6 groups by data.groups" in line
    assert (folder / "splits_final.json").read_text() == splits
    (folder / "splits_final.json").unlink()
    assert make(groups=False) == []
    assert json.loads((folder / "splits_final.json").read_text()) == usual_splits(CASES)


def table_in(raw):
    table = raw / "groups.csv"
    table.write_text("case,group\n" + "".join(f"{case},{case[:2]}\n" for case in CASES))
    return table


def test_patients_stay_together_where_the_datasets_table_is_gone(make, check, folder, raw):
    table = table_in(raw)
    make()
    table.unlink()
    assert check() == []
    error = refusal(check, cases=[*CASES, "P9_0"], joining=["P9_0"])
    assert error.problem.endswith("is gone; now: 1 new case without a group.")
    (folder / "splits_final.json").unlink()
    (line,) = make()
    assert "5 folds of 6 groups by groups.csv, by splits_final_made_by.json;" in line
    assert all(not train & val for train, val in sides(folder))


def test_a_table_behind_a_broken_link_is_not_overlooked(check, raw):
    (raw / "groups.csv").symlink_to(raw / "unmounted.csv")
    assert "groups.csv cannot be read" in refusal(check).problem


def test_splits_that_are_edited_are_held_against_the_groups_they_were_made_with(
    make, check, folder
):
    make(groups=PATTERN)
    splits = json.loads((folder / "splits_final.json").read_text())
    moved = splits[0]["val"].pop(0)
    splits[0]["train"].append(moved)
    splits[1]["val"].append(moved)
    splits[1]["train"].remove(moved)
    (folder / "splits_final.json").write_text(json.dumps(splits))
    assert "in 'train' and in 'val' of folds 0, 1, by data.groups" in refusal(check).problem
    assert check(groups=False) == []


def test_a_table_of_the_raw_dataset_counts_where_nothing_is_said(make, check, folder, raw):
    table = table_in(raw)
    (line,) = make()
    assert f"6 groups by {table};" in line
    assert all(not train & val for train, val in sides(folder))
    assert check() == []
    table.write_text("case,group\n" + "".join(f"{case},{case[3:]}\n" for case in CASES))
    error = refusal(check)
    assert f"2 groups are in 'train' and in 'val' of folds 0, 1, 2, 3, 4, by {table}: 0, 1." in (
        error.problem
    )
    assert error.fix.startswith("set data.groups: false, to train with the folds that are there;")
    assert check(groups=False) == []


def test_a_table_of_the_raw_dataset_that_lacks_cases(check, raw):
    (raw / "groups.csv").write_text("case,group\nP0_0,P0\n")
    assert refusal(check).fix.endswith("; or data.groups: false, for folds without groups.")
    assert check(groups=False) == []


def test_folds_without_groups_stay_so_for_runs_that_say_nothing(make, check, raw):
    (raw / "groups.csv").write_text("case,group\n" + "".join(f"{c},{c[:2]}\n" for c in CASES))
    assert make(groups=False) == []
    assert check() == [
        f"The splits were made with data.groups: false, without {raw / 'groups.csv'}."
    ]
    assert "5 groups are in" in refusal(check, groups=PATTERN).problem


def test_folds_of_other_groups_are_refused(make, check, folder):
    make()
    error = refusal(check, groups=OTHERS)
    assert error.problem == (
        f"{folder / 'splits_final.json'}: 2 groups are in 'train' and in 'val' of folds 0, 1, 2, "
        f"3, 4, by data.groups ({OTHERS}): 0, 1."
    )
    assert error.fix == (
        "take data.groups out of the run file, to train with the folds that are there; or move "
        "splits_final.json away, and folds are made again: what was trained with it is then of "
        "other folds."
    )


def test_folds_made_without_balance_are_refused(make, check):
    make()
    error = refusal(check, stratify=True)
    assert error.problem.endswith(": data.stratify is true, and these folds were made without it.")
    assert error.fix.startswith("take data.stratify out of the run file, ")


def test_balanced_folds_are_shared(make, check, folder, monkeypatch):
    from nnunet_vit.data.folds import first_splits as module

    amounts = {case: [float(case in CASES[:5])] for case in CASES}
    monkeypatch.setattr(module, "class_amounts", lambda *_: amounts)
    (line,) = make(stratify=True)
    assert "5 folds, classes balanced; validation cases: 3, 3, 2, 2, 2." in line
    assert check(stratify=True) == []
    assert check() == []
    path = folder / "splits_final.json"
    path.write_text(json.dumps(usual_splits(CASES)))  # somebody puts others there
    assert "were made without it" in refusal(check, stratify=True).problem


def test_fewer_groups_than_folds(check, folder):
    error = refusal(check, groups=OTHERS)
    assert str(error) == (
        f"Dataset005_Mine has 2 groups by data.groups ({OTHERS}); five folds need five. Fix: "
        "data.fold: all; or data.splits, a file of your own folds"
    )
    assert check(fold="all", groups=OTHERS) == []


class TestOwnFolds:
    """`data.splits` names a file with folds."""

    OWN = ({"train": CASES[2:], "val": CASES[:2]}, {"train": CASES[:8], "val": CASES[8:]})

    @pytest.fixture
    def own(self, tmp_path):
        path = tmp_path / "own.json"
        path.write_text(json.dumps(self.OWN))
        return str(path)

    def test_they_are_those_of_the_dataset(self, make, check, folder, own):
        assert check(splits=own, fold=1) == []
        (line,) = make(splits=own)
        assert line.endswith(f": the folds of {own}; validation cases: 2, 4.")
        assert json.loads((folder / "splits_final.json").read_text()) == list(self.OWN)
        assert check(splits=own) == []
        assert check(fold=1) == []

    def test_a_fold_that_they_lack(self, check, own):
        with pytest.raises(ConfigError) as caught:
            check(splits=own, fold=2)
        assert str(caught.value) == f"data.fold: 2; data.splits ({own}) has folds 0 to 1."

    def test_other_folds_are_there(self, make, check, tmp_path, own):
        make()
        assert ": 5 folds, data.splits has 2. Fix: take data.splits out" in str(
            refusal(check, splits=own)
        )
        other = tmp_path / "other.json"
        other.write_text(json.dumps([*usual_splits(CASES)[1:], usual_splits(CASES)[0]]))
        error = refusal(check, splits=str(other))
        assert f"fold 0: 'train' differs from {other} in " in error.problem
        assert error.problem.endswith("… (10 in all).")

    def test_the_order_of_cases_is_of_no_account(self, make, check, tmp_path):
        make()
        other = tmp_path / "other.json"
        folds = [{s: fold[s][::-1] for s in ("val", "train")} for fold in usual_splits(CASES)]
        other.write_text(json.dumps(folds))
        assert check(splits=str(other)) == []

    def test_a_group_on_both_sides(self, check, own):
        error = refusal(check, splits=own, groups=OTHERS)
        assert str(error) == (
            f"{own}: 2 groups are in 'train' and in 'val' of folds 0, 1, by data.groups "
            f"({OTHERS}): 0, 1. Fix: correct it, or take data.groups out of the run file."
        )

    def test_a_wrong_file(self, check, tmp_path):
        path = tmp_path / "wrong.json"
        path.write_text('[{"train": ["P0_0", "x"], "val": ["P0_0"]}]')
        error = refusal(check, splits=str(path))
        assert str(error) == (
            f"{path}: fold 0: 'train': x is no case of the dataset; fold 0: in 'train' and in "
            "'val': P0_0. Fix: correct it."
        )

    def test_cases_that_they_leave_out_are_a_notice(self, check, own):
        lines = check(splits=own, cases=[*CASES, "P9_0"])
        assert lines == [f"1 case is in no fold of {own}: P9_0."]


def test_the_table_of_earlier_folds_is_gone(make, check, tmp_path):
    table = tmp_path / "mine.csv"
    table.write_text("case,group\n" + "".join(f"{case},{case[:2]}\n" for case in CASES))
    make(groups=str(table))
    table.unlink()
    assert check() == []
    error = refusal(check, cases=[*CASES, "P0_9"], joining=["P0_9"])
    assert str(error) == (
        f"The splits were made with the groups of {table}, which is gone; now: 1 new case "
        "without a group. Fix: data.groups in the run file: a table of all cases, or a pattern."
    )


def test_folds_that_another_run_made_meanwhile_are_checked(make, folder):
    make()
    with pytest.raises(DataError, match="2 groups are in 'train' and in 'val'"):
        make(groups=OTHERS)


def test_balance_without_groups_takes_each_case_by_itself(folder):
    rules = rules_of(DataConfig(stratify=True), FoldCases(CASES, None, folder))
    splits = first_splits(CASES, rules, {case: [1.0] for case in CASES})
    assert [len(fold["val"]) for fold in splits] == [3, 3, 2, 2, 2]
