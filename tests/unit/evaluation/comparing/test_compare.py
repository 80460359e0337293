"""Runs that can be compared, runs that cannot, and what is written of them."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from compared_runs import CASES, save, summarize, truth
from compared_runs import run as run

from nnunet_vit.data.folds.splits_origin import Origin, write_origin
from nnunet_vit.errors import ConfigError, DataError, ModelError
from nnunet_vit.evaluation.comparing.compare import (
    check_same,
    compare_runs,
    found_references,
    patients_of,
)
from nnunet_vit.evaluation.comparing.comparison_files import write_comparison
from nnunet_vit.evaluation.comparing.comparison_table import comparison_text
from nnunet_vit.evaluation.comparing.run_cost import Cost
from nnunet_vit.evaluation.comparing.run_results import RunResults
from nnunet_vit.evaluation.mask_pairs import Task
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.report.letters import letter
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


def compared(*paths, **given):
    return compare_runs(paths, Progress(), **given)


def row(comparison, metric, name):
    (found,) = [r for r in comparison.rows if (r.metric.name, r.class_name) == (metric, name)]
    return found


def test_a_better_run_is_called_better(run):
    found = compared(run("worse", 3), run("good", 0), wanted=Wanted(("dice", "hd")))
    disc, hd = row(found, "dice", "disc"), row(found, "hd", "disc")
    assert (disc.better, hd.better) == (1, 1)
    assert disc.difference.mean > 0 > hd.difference.mean
    assert row(found, "dice", "cup").better is None
    assert row(found, "dice", "mean of the classes").better == 1


def test_the_same_run_twice_is_noise(run):
    folder = run("one", 1)
    copied = shutil.copytree(folder, folder.with_name("two"))
    found = compared(folder, copied)
    assert [one.better for one in found.rows] == [None, None, None]
    assert found.rows[0].difference.p_holm == 1


def test_three_runs_are_compared_in_pairs(run):
    found = compared(run("a", 0), run("bb", 1), run("ccc", 4))
    pairs = [(one.one, one.other) for one in found.rows if one.class_name == "disc"]
    assert pairs == [(0, 1), (0, 2), (1, 2)]


def test_the_words(run):
    found = compared(run("worse", 3), run("good", 0), patients="^(P[0-9]+)_")
    lines = comparison_text(
        found, [Cost(5_000_000, 1.5, 0.25), Cost(None, None, None)]
    ).splitlines()
    assert lines[:3] == [
        "A  worse (folds 0 1, 5.00 M parameters, trained 90 min, 0.2 s per case)",
        "B  good (folds 0 1)",
        "16 cases of 8 patients",
    ]
    at = next(number for number, line in enumerate(lines) if line.startswith("  disc: A 0."))
    assert lines[at + 1].startswith("    B - A  +0.2")
    assert lines[at + 2] == "           higher in 16, lower in 0 of 16 cases: B is better"
    assert any(line.endswith("lower in 0 of 16 cases: may be noise") for line in lines)
    assert all(len(line) < 80 for line in lines[2 : at + 3])


def test_the_files(run, tmp_path):
    found = compared(run("worse", 3), run("good_1", 0), wanted=Wanted(("dice", "hd95")))
    files = write_comparison(found, tmp_path / "out")
    assert [file.name for file in files] == ["comparison.csv", "comparison.tex", "comparison.png"]
    rows = list(csv.DictReader(files[0].open()))
    assert len(rows) == 6
    assert rows[0]["better"] == "good_1"
    assert float(rows[0]["difference"]) == pytest.approx(
        float(rows[0]["other_mean"]) - float(rows[0]["mean"])
    )
    latex = files[1].read_text()
    assert r"\textbf{1.000} $\pm$ 0.000" in latex
    assert latex.count(r"\\") == 7
    from skimage.io import imread

    assert imread(files[2]).std() > 1


def test_patients_are_the_groups_that_the_folds_were_made_with(run, tmp_path):
    folders = run("worse", 3), run("good", 0)
    assert compared(*folders).patients["P0_l"] == "P0_l"
    groups = {case: case.partition("_")[0] for case in CASES[:-1]}
    write_origin(tmp_path, Origin("groups.csv", of_cases=groups), [])
    found = compared(*folders)
    assert found.patients == {**groups, CASES[-1]: CASES[-1]}
    assert "16 cases of 9 patients" in comparison_text(found, [Cost(None, None, None)] * 2)
    one_each = compared(*folders, patients="^.*$")
    assert one_each.patients == {case: case for case in CASES}


def test_the_spread_is_that_of_patients_like_the_mean(run):
    found = compared(run("worse", 3), run("good", 0), patients="^(P[0-9]+)_")
    dice = found.metrics[0]
    values = list(found.values(0, dice, "disc").values())
    of_patients = [sum(values[n : n + 2]) / 2 for n in range(0, 16, 2)]
    assert found.mean(0, dice, "disc") == pytest.approx(np.mean(of_patients))
    assert found.sd(0, dice, "disc") == pytest.approx(np.std(of_patients, ddof=1))


def test_folders_of_masks(run, tmp_path):
    places = [run("worse", 3), run("good", 0)]
    for model in places:
        for fold in (0, 1):
            for file in (model / f"fold_{fold}/validation").glob("*.png"):
                shutil.copy(file, model / file.name)
            shutil.rmtree(model / f"fold_{fold}")
    found = compared(*places, references=tmp_path / "labels")
    assert row(found, "dice", "disc").better == 1
    with pytest.raises(DataError, match="No folder of true masks is known"):
        compared(*places)


def test_other_folds_are_refused(run):
    one, other = run("one", 0), run("other", 0, folds=(1,))
    with pytest.raises(DataError) as caught:
        compared(one, other)
    assert f"{other} has folds 1, {one} 0, 1. Fix: --folds 1" in str(caught.value)
    assert compared(one, other, folds=[1]).runs[0].folds == (1,)
    with pytest.raises(ModelError, match="not validated: fold 0"):
        compared(other, one, folds=[0])


def test_a_damaged_summary_is_named(run):
    one, other = run("one", 0), run("nnUNetTrainer__nnUNetPlans__2d", 0)
    summary = other / "fold_1/validation/summary.json"
    summary.write_text(summary.read_text()[:50])
    with pytest.raises(ModelError) as caught:
        compared(one, other)
    assert str(caught.value).startswith(f"{summary} is damaged: it cannot be read as JSON")
    assert " 2d 1 -tr nnUNetTrainer -p nnUNetPlans --val" in caught.value.fix
    assert compared(one, other, folds=[0]).runs[0].folds == (0,)
    for fold in (0, 1):
        (one / f"fold_{fold}/validation/summary.json").write_text("")
    with pytest.raises(ModelError, match=r"one/fold_0/\S*summary\.json is damaged: it is empty\."):
        found_references([one])


def test_other_cases_are_refused(run):
    one, other = run("one", 0), run("other", 0)
    (other / "fold_0/validation" / f"{CASES[0]}.png").unlink()
    with pytest.raises(ModelError, match=rf"other masks than its summary.json names: {CASES[0]}"):
        compared(one, other)
    summarize(other / "fold_0/validation", one.parent / "labels")
    with pytest.raises(DataError) as caught:
        compared(one, other)
    assert f"0 cases more, 1 fewer ({CASES[0]})" in str(caught.value)


def test_other_classes_are_refused(run):
    labels = {"background": 0, "disc": 1, "rim": 2}
    with pytest.raises(DataError, match=r"has the labels \{.*rim.*\}; "):
        compared(run("one", 0), run("other", 0, labels=labels))


def test_labels_of_other_numbers_are_refused(run):
    swapped = {"background": 0, "disc": 2, "cup": 1}
    with pytest.raises(DataError, match="has the labels"):
        compared(run("one", 0), run("other", 0, labels=swapped))


def test_regions_in_another_order_are_refused():
    def results(*names, **more):
        labels = {"background": 0} | {name: {"whole": [1, 2], "cup": 2}[name] for name in names}
        task = Task({"labels": labels, "file_ending": ".png"} | more, {}, Path(names[0]))
        return RunResults(Path(names[0]), (0,), {}, task)

    check_same([results("whole", "cup"), results("cup", "whole")])
    order = {"regions_class_order": [1, 2]}
    check_same([results("whole", "cup", **order)] * 2)
    with pytest.raises(DataError, match="cup has the labels"):
        check_same([results("whole", "cup", **order), results("cup", "whole", **order)])


def test_other_references_are_refused(run, tmp_path):
    one, other = run("one", 0), run("other", 0)
    shutil.copytree(tmp_path / "labels", tmp_path / "others")
    summarize(other / "fold_0/validation", tmp_path / "others")
    with pytest.raises(DataError) as caught:
        compared(one, other)
    assert "were validated against different folders" in str(caught.value)
    assert compared(one, other, references=tmp_path / "labels").rows


def test_a_false_find_where_nothing_is_counts_against_a_run(run, tmp_path):
    """Cases without a cup: one run rightly finds none, the other one draws some in each."""
    right, wrong = run("right", 2), run("wrong_one", 0)
    for number, case in enumerate(CASES):
        healthy = truth()
        healthy[healthy == 2] = 0
        if number >= 4:
            save(tmp_path / "labels" / f"{case}.png", healthy)
            fold = f"fold_{number % 2}/validation/{case}.png"
            save(right / fold, healthy)
    found = compared(right, wrong, wanted=Wanted(("dice", "hd", "precision")))
    for metric in ("dice", "hd", "precision"):
        cup = row(found, metric, "cup")
        assert (cup.difference.cases, cup.better) == (16, 0)
    assert found.mean(0, cup.metric, "cup") == 1
    assert row(found, "dice", "mean of the classes").better == 0


def test_a_class_that_a_run_never_finds_makes_its_mean_no_better(run):
    """Precision has no value without a prediction: such cases are left out of both runs."""
    one, other = run("one", 0), run("other", 2)
    for file in one.glob("fold_*/validation/*.png"):
        mask = truth()
        mask[mask == 2] = 0
        save(file, mask)
    found = compared(other, one, wanted=Wanted(("precision",)))
    metric = found.metrics[0]
    assert found.values(0, metric, "cup") == {}
    assert found.left_out(metric, "cup") == 16
    assert found.mean(0, metric, "mean of the classes") == found.mean(0, metric, "disc")
    text = comparison_text(found, [Cost(None, None, None)] * 2)
    assert "    16 cases without a value in some run: left out" in text


def test_runs_of_one_name_are_told_apart(run, tmp_path):
    one = run("one", 0)
    (tmp_path / "elsewhere").mkdir()
    other = shutil.copytree(one, tmp_path / "elsewhere" / "one")
    found = compared(one, other)
    assert found.names == [str(one), str(other)]
    files = write_comparison(found, tmp_path / "out $x^")
    first = next(csv.DictReader(files[0].open()))
    assert (first["run"], first["other_run"]) == (str(one), str(other))


def test_a_folder_of_merged_masks_beside_a_model(run, tmp_path):
    one, other = run("worse", 3), run("good", 0)
    merged = other / "crossval_results_folds_0_1"
    merged.mkdir()
    for file in [*other.glob("fold_*/validation/*.png"), *other.glob("*.json")]:
        shutil.copy(file, merged)
    found = compared(one, merged)
    assert row(found, "dice", "disc").better == 1


def test_what_is_no_run(run, tmp_path):
    with pytest.raises(ConfigError, match="compare needs two runs or more"):
        compared(run("one", 0))
    with pytest.raises(DataError, match=r"nothing is missing\."):
        compared(run("one", 0), tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no results: no fold_0"):
        compared(run("one", 0), tmp_path / "empty")
    (tmp_path / "whole" / "fold_all").mkdir(parents=True)
    with pytest.raises(ModelError, match="has fold all alone, which has seen every case"):
        compared(run("other", 0), tmp_path / "whole")
    (tmp_path / "begun" / "fold_0").mkdir(parents=True)
    with pytest.raises(ModelError, match="no fold is validated"):
        compared(run("one", 0), tmp_path / "begun")


def test_patients():
    assert patients_of(["P1_l", "P1_r"], "^(P[0-9]+)_") == {"P1_l": "P1", "P1_r": "P1"}
    assert patients_of(["P1_l"], "^P[0-9]+") == {"P1_l": "P1"}
    assert patients_of(["a"], None) == {"a": "a"}
    with pytest.raises(ConfigError, match="finds no patient in x"):
        patients_of(["P1_l", "x"], "^(P[0-9]+)_")
    with pytest.raises(ConfigError, match="no regular expression"):
        patients_of(["x"], "(")
    with pytest.raises(ConfigError, match="finds no patient in P1_l"):
        patients_of(["P1_l"], "^P1_(9)?")


def test_letters():
    assert [letter(number) for number in (0, 25, 26, 53)] == ["A", "Z", "A2", "B3"]
