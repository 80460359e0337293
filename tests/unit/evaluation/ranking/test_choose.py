"""The best run or pair of runs: what nnU-Net chooses, and what it does not say."""

import json
import multiprocessing
import pickle
from multiprocessing.pool import ThreadPool
from types import SimpleNamespace

import numpy as np
import pytest
from skimage.io import imread
from validated_runs import CASES, region_runs, runs, save_mask

from nnunet_vit.checkpoints.validation_summary import command_for
from nnunet_vit.errors import DataError, ModelError
from nnunet_vit.evaluation.ranking.choice_text import choice_text
from nnunet_vit.evaluation.ranking.choose import choose
from nnunet_vit.evaluation.ranking.comparable_runs import Demand
from nnunet_vit.report.progress import Progress

__all__ = ["region_runs", "runs"]  # fixtures
pytestmark = pytest.mark.unit

UNET, OURS = "nnUNetTrainer__nnUNetPlans__2d", "nnUNetTrainer_vit__linear-1__2d"


def chosen(runs, **options):
    options = {"patients": {case: case for case in "abcde"}, **options}
    return choose(runs.results, runs.references, runs.demand, Progress(), **options)


@pytest.fixture
def three(runs):
    runs.write(UNET, noise=2, seed=1)
    runs.write(OURS, noise=2, seed=2)
    runs.write("nnUNetTrainer_vit__linear-2__2d", noise=4, seed=3)
    return runs


def nnunets(runs):
    """Return what nnU-Net's own functions choose and determine."""
    from nnunetv2.evaluation.find_best_configuration import find_best_configuration

    keys = ("trainer", "plans", "configuration")
    names = sorted(path.name for path in runs.results.glob("*__*"))
    models = [dict(zip(keys, name.split("__"), strict=True)) for name in names]
    return find_best_configuration(7, models, folds=tuple(CASES), num_processes=1)


def test_an_average_of_two_is_the_best(three):
    choice = chosen(three)
    assert [contender.name for contender in choice.ranked[:1]] == [f"{UNET} + linear-1__2d"]
    assert len(choice.ranked) == 6
    assert [one.dice for one in choice.ranked] == sorted(
        (one.dice for one in choice.ranked), reverse=True
    )
    assert choice.best.folder.name == f"ensemble___{UNET}___{OURS}___0_1"
    summary = json.loads((choice.best.folder / "summary.json").read_text())
    assert summary["foreground_mean"]["Dice"] == choice.best.dice
    assert choice.differences[-1].mean > 0.1
    text = choice_text(choice)
    assert "\n  1. A+B  Dice 0." in text
    assert "Folds 0 1, 5 cases:\n  A  nnUNetTrainer__nnUNetPlans__2d\n  B  linear-1__2d\n" in text
    assert all(len(line) < 80 for line in text.splitlines())


def test_runs_alone(three):
    choice = chosen(three, ensembles=False, wanted=["linear-2__2d", str(three.results / UNET)])
    assert [contender.name for contender in choice.ranked] == [UNET, "linear-2__2d"]
    assert not (three.results / "ensembles").exists()


def test_equal_runs_come_in_their_order_and_single_ones_first(runs):
    for name in ("nnUNetTrainer_vit__b__2d", "nnUNetTrainer_vit__a__2d"):
        runs.write(name, noise=0.1)
    assert [one.name for one in chosen(runs).ranked] == ["a__2d", "b__2d", "a__2d + b__2d"]


def test_runs_without_probabilities_are_in_no_ensemble(three):
    for file in (three.results / OURS).glob("fold_1/validation/*.npz"):
        file.unlink()
    (three.results / OURS / "fold_0/run.yaml").touch()
    choice = chosen(three)
    assert len(choice.ranked) == 4
    assert list(choice.without_ensembles) == ["linear-1__2d"]
    remedy = choice.without_ensembles["linear-1__2d"].fix
    assert remedy == (
        f"vit_cli train --config {three.results / OURS}/fold_0/run.yaml --folds 1 --continue "
        "--probabilities"
    )
    assert remedy in choice_text(choice)


def test_runs_of_other_channels_are_no_pair(runs):
    for number, channels in enumerate(("R", "R", "CT")):
        names = {"channel_names": {"0": channels}}
        runs.write(f"nnUNetTrainer__p{number}__2d", noise=2, seed=number, **names)
    choice = chosen(runs)
    (pair,) = (one for one in choice.ranked if len(one.runs) > 1)
    one, two, other = (f"nnUNetTrainer__p{number}__2d" for number in range(3))
    assert pair.name == f"{one} + {two}"
    assert list(choice.without_ensembles) == [f"{one} + {other}", f"{two} + {other}"]
    told = " ".join(choice_text(choice).split())
    assert f"In no ensemble: {one} + {other}: they have other channel_names: {{'0': 'R'}}" in told


def test_the_best_without_probabilities_has_no_temperature(runs):
    runs.write(UNET, probabilities=False)
    choice = chosen(runs)
    assert choice.calibration is None
    assert "Temperature: none" in choice_text(choice)
    assert (
        "for FOLD in 0 1; do nnUNetv2_train 007 2d $FOLD -tr nnUNetTrainer -p nnUNetPlans --val "
        "--npz; done" == choice.without_ensembles[UNET].fix
    )
    told = choice.without_ensembles[UNET].problem
    assert told == "the validation of folds 0 1 has kept no probabilities."
    assert "run `vit_cli best` again" in " ".join(choice_text(choice).split())


def test_probabilities_of_another_validation_are_refused(runs):
    folder = runs.write(UNET)
    file = folder / "fold_0/validation/a.npz"
    values = np.load(file)["probabilities"]
    values[:, 0, 0, 0] = [0, 1, 0]
    np.savez_compressed(file, probabilities=values)
    with pytest.raises(Exception, match=r"a\.png is not the mask that the probabilities beside it"):
        chosen(runs)


def test_parts_apart_are_removed_where_that_helps(runs):
    runs.write(UNET, noise=0.1, speck=True)
    choice = chosen(runs)
    assert choice.postprocessing.steps == ((1, 2),)
    assert choice.postprocessing.after > choice.postprocessing.before
    functions, arguments = pickle.loads(choice.nnunets_file.read_bytes())
    assert [function.__name__ for function in functions] == [
        "remove_all_but_largest_component_from_segmentation"
    ]
    assert arguments == [{"labels_or_regions": [1, 2]}]
    assert "the largest component of the foreground is kept" in choice_text(choice)


def test_regions(region_runs):
    for number in (1, 2):
        region_runs.write(f"nnUNetTrainer__p{number}__2d", noise=2, seed=number)
    choice = chosen(region_runs)
    assert len(choice.best.runs) == 2
    assert choice.calibration.nll_after < choice.calibration.nll_before


def test_regions_in_another_order_are_other_outputs(region_runs):
    region_runs.write("nnUNetTrainer__p1__2d")
    labels = region_runs.description["labels"]
    turned = {key: labels[key] for key in sorted(labels)}
    assert turned == labels
    region_runs.write("nnUNetTrainer__p2__2d", labels=turned)
    fault = chosen(region_runs).left_out["nnUNetTrainer__p2__2d"]
    assert fault.problem == "its dataset.json has another order of labels than the dataset."


LEFT_OUT = {
    "fold 1: not validated.": lambda f: (f / "fold_1/validation/summary.json").unlink(),
    "fold 0: holds other masks than its summary.json names.": lambda f: (
        f / "fold_0/validation/a.png"
    ).unlink(),
    "fold 0, 1: without a final model.": lambda f: [
        file.unlink() for file in f.glob("*/checkpoint_final.pth")
    ],
    "its dataset.json has another labels than the dataset.": lambda f: (
        f / "dataset.json"
    ).write_text('{"labels": {"background": 0, "x": 1}, "file_ending": ".png"}'),
}


@pytest.mark.parametrize("problem", LEFT_OUT)
def test_what_is_left_out(three, problem):
    LEFT_OUT[problem](three.results / OURS)
    choice = chosen(three)
    assert {name: fault.problem for name, fault in choice.left_out.items()} == {
        "linear-1__2d": problem
    }
    assert f"Left out: linear-1__2d: {problem[:20]}" in choice_text(choice)
    with pytest.raises(ModelError) as caught:
        chosen(three, wanted=[OURS])
    assert problem.rstrip(".") in str(caught.value)


def test_a_run_of_other_splits_is_to_be_trained_from_scratch(three):
    for fold in (0, 1):  # what each was validated on belongs to the other one today
        (three.results / OURS / f"fold_{fold}/run.yaml").write_text("")
    three.demand = Demand({0: CASES[1], 1: CASES[0]}, three.description)
    with pytest.raises(ModelError) as caught:
        chosen(three, wanted=[OURS])
    text = str(caught.value)
    assert "fold 0, 1: validated on other cases than splits_final.json gives it" in text
    assert "--folds 0 1 --overwrite" in text and "--continue" not in text
    assert command_for(three.results / UNET, [0], ours="", nnunets="").endswith(" -p nnUNetPlans")


def test_a_damaged_summary_leaves_a_run_out(three):
    summary = three.results / OURS / "fold_1/validation/summary.json"
    summary.write_text("{}")
    fault = chosen(three).left_out["linear-1__2d"]
    assert fault.problem == f"{summary} is damaged: metric_per_case is missing or of another type."
    assert fault.fix.startswith("validate again: ")


def without_cup(runs, folder):
    """Let no true mask have a cup, nor the masks of a run: it rightly finds none."""
    for file in runs.references.glob("*.png"):
        save_mask(file, imread(file) > 0)
    for file in folder.glob("fold_*/validation/*.png"):
        save_mask(file, imread(file) == 1)


def test_a_class_in_no_reference_is_left_out_of_the_ranking(runs):
    good, speck = (
        runs.write(f"nnUNetTrainer__{name}__2d", noise=noise, speck=True, probabilities=False)
        for name, noise in (("good", 0.1), ("inventing", 3))
    )
    without_cup(runs, good)
    choice = chosen(runs)
    assert [one.name for one in choice.ranked] == [good.name, speck.name]
    dice = [one.dice for one in choice.ranked]
    assert dice[0] > dice[1] > 0
    assert choice.differences[0].mean == pytest.approx(dice[0] - dice[1])
    assert choice.postprocessing.steps == ((1, 2),)
    assert choice.postprocessing.after > choice.postprocessing.before == pytest.approx(dice[0])
    text = choice_text(choice)
    assert "\nIn no reference, and not in these Dice: cup.\n" in text
    assert "nan" not in text


def test_references_that_show_nothing(runs):
    runs.write(UNET)
    for file in runs.references.glob("*.png"):
        save_mask(file, np.zeros((24, 32)))
    with pytest.raises(DataError, match="shows a foreground class: nothing can be ranked"):
        chosen(runs)


def test_a_name_that_no_run_has(three):
    with pytest.raises(ModelError, match=r"linear-9__2d: no such run. Those that can: .*linear-2"):
        chosen(three, wanted=["linear-9__2d"])


def test_few_patients_have_no_interval(three):
    text = choice_text(chosen(three, patients=dict(zip("abcde", "11234", strict=True))))
    assert ", -, p " in text
    told = " ".join(text.split())
    assert "4 patients: too few for any difference between 6 contenders to be more than" in told
    assert "nan" not in text


def test_a_path_that_leads_elsewhere(three, tmp_path):
    (tmp_path / "other" / OURS).mkdir(parents=True)
    for place in ("/nowhere/at/all", tmp_path / "other"):
        with pytest.raises(ModelError) as caught:
            chosen(three, wanted=[f"{place}/{OURS}", UNET])
        assert f": {place}/{OURS}: no folder of a run in {three.results}. " in str(caught.value)


def test_nothing_to_choose_from(runs):
    runs.write(UNET, cases={0: CASES[0]})
    with pytest.raises(ModelError) as caught:
        chosen(runs)
    assert "has no run whose folds 0 1 are all validated." in str(caught.value)
    assert f"{UNET}: fold 1: not validated." in str(caught.value)
    assert "nnUNetv2_train 007 2d 1 -tr nnUNetTrainer -p nnUNetPlans --c" in caught.value.fix


@pytest.mark.parametrize("kind", ["runs", "region_runs"])
def test_nnunet_chooses_the_same(kind, request, monkeypatch):
    threads = SimpleNamespace(Pool=ThreadPool)  # processes take seconds to start
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: threads)
    own = request.getfixturevalue(kind)
    own.write(UNET, noise=2, seed=1, speck=True)
    own.write(OURS, noise=2, seed=2, speck=True)
    choice = chosen(own)
    ours = {each.folder: each.dice for each in choice.ranked}
    rule = pickle.loads(choice.nnunets_file.read_bytes())
    theirs = nnunets(own)
    assert sorted(theirs["all_results"].values()) == sorted(ours.values())
    best, helps = theirs["best_model_or_ensemble"], choice.postprocessing
    assert best["postprocessing_file"] == str(choice.nnunets_file)
    assert best["result_on_crossval_pre_pp"] == pytest.approx(helps.before, abs=1e-12)
    assert best["result_on_crossval_post_pp"] == pytest.approx(helps.after, abs=1e-12)
    assert pickle.loads(choice.nnunets_file.read_bytes()) == rule
