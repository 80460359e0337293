"""Whether the folds of a run are validated on the cases of one splits_final.json."""

import json

import pytest
from validated_runs import CASES, runs

from nnunet_vit.evaluation.fold_splits import split_doubt

__all__ = ["runs"]
pytestmark = pytest.mark.unit
RUN = "nnUNetTrainer__nnUNetPlans__2d"


@pytest.fixture
def model(runs):
    """A validated run of two folds, whose summaries name the true masks."""
    folder = runs.write(RUN, probabilities=False)
    for summary in folder.glob("fold_*/validation/summary.json"):
        content = json.loads(summary.read_text())
        for entry in content["metric_per_case"]:
            entry["reference_file"] = str(runs.references / "a.png")
        summary.write_text(json.dumps(content))
    return folder


@pytest.fixture
def split(runs):
    """`split(*cases)` writes splits_final.json, or a file of another name."""

    def written(*cases, name="splits_final.json"):
        content = [{"train": [], "val": list(own)} for own in cases]
        (runs.preprocessed / name).write_text(json.dumps(content))

    return written


def test_folds_of_the_splits_of_today(model):
    assert split_doubt(model).text == ""


def test_splits_that_have_changed_for_one_fold(model, split):
    split(CASES[0], "xy")
    doubt = split_doubt(model)
    assert not doubt.joins
    assert doubt.text == (
        "no Dice over different splits: fold 1: validated on other cases than splits_final.json "
        "gives it today."
    )
    assert split_doubt(model, ["0"]).text == ""


def test_folds_that_are_all_of_earlier_splits_have_a_figure_of_their_own(model, split):
    split("xy", "zw")
    doubt = split_doubt(model)
    assert doubt.joins
    assert doubt.text.startswith("not comparable with runs of today's splits: fold 0, 1: ")


def test_splits_that_an_update_has_kept_tell_that_folds_belong_together(model, split):
    split([*CASES[0], "x"], CASES[1])
    assert not split_doubt(model).joins
    split(*CASES.values(), name="splits_before_update_5_cases.json")
    split("damaged", name="splits_before_update_4_cases.json")
    assert split_doubt(model).joins
    assert split_doubt(model).problem


def test_two_folds_that_have_predicted_the_same_case(model):
    first, second = (model / f"fold_{n}/validation/summary.json" for n in (0, 1))
    second.write_text(first.read_text())
    assert split_doubt(model).problem == "several folds have predicted a.png, b.png, c.png."


@pytest.mark.parametrize("gone", ["splits_final.json", "gt_segmentations"])
def test_splits_that_are_not_known(model, runs, gone):
    (runs.preprocessed / gone).rename(runs.preprocessed / "elsewhere")
    assert split_doubt(model).text == ""


def test_a_model_without_a_validation(model):
    for summary in model.glob("fold_*/validation/summary.json"):
        summary.unlink()
    assert split_doubt(model).text == ""
