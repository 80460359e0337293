"""The validations of folds in one folder, each case once."""

import json

import numpy as np
import pytest

from nnunet_vit.errors import ModelError
from nnunet_vit.evaluation.merged_folds import merge_validations, merged_folder
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

CASES = {0: ["a"], 1: ["b"]}
LABELS = {"background": 0, "disc": 1}


def save(path, mask):
    from skimage.io import imsave

    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, mask.astype(np.uint8), check_contrast=False)


@pytest.fixture
def model(tmp_path):
    """A model folder with two folds: the first one's case is half right."""
    folder, truth = tmp_path / "model", np.zeros((8, 8), int)
    truth[2:4] = 1
    for fold, (case, mask) in enumerate({"a": np.roll(truth, 1, 0), "b": truth}.items()):
        save(folder / f"fold_{fold}/validation/{case}.png", mask)
        (folder / f"fold_{fold}/validation/summary.json").write_text("{}")
    for case in "abc":
        save(tmp_path / "references" / f"{case}.png", truth)
    description = {"labels": LABELS, "file_ending": ".png", "channel_names": {"0": "R"}}
    (folder / "dataset.json").write_text(json.dumps(description))
    plans = {"plans_name": "x", "configurations": {}, "nnunet_vit": {"schema": 1}}
    (folder / "plans.json").write_text(json.dumps(plans))
    return folder


def merge(model):
    return merge_validations(model, CASES, model.parent / "references", Progress())


def test_all_cases_are_measured_together(model):
    scores = merge(model)
    assert scores.per_case == {"a.png": 0.5, "b.png": 1.0}
    assert scores.summary == model / "crossval_results_folds_0_1" / "summary.json"
    assert scores.measurement.statistics["disc"]["dice"].mean == 0.75


def test_what_lay_there_is_replaced(model):
    save(merged_folder(model, [0, 1]) / "old.png", np.zeros((8, 8)))
    assert list(merge(model).per_case) == ["a.png", "b.png"]


def test_nnunets_rule_of_post_processing_stays_while_the_masks_do(model):
    rule = merge(model).summary.parent / "postprocessing.pkl"
    rule.touch()
    merge(model)
    assert rule.is_file()
    save(model / "fold_1/validation/b.png", np.zeros((8, 8)))
    merge(model)
    assert not rule.exists()


@pytest.mark.parametrize(
    ("cases", "problem"),
    [
        ({0: ["a"], 1: ["a"]}, r"also predicted by another fold: a\.png"),
        ({0: ["a"], 1: ["b", "c"]}, r"fold_1.validation: not predicted: c\.png"),
        ({0: ["a"], 1: ["c"]}, r"not predicted: c\.png"),
        ({0: [], 1: ["b"]}, r"fold_0.validation: predicted, and no validation case of the fold: a"),
        ({0: ["a"], 2: ["c"]}, r"fold_2.validation: not predicted: c\.png"),
    ],
)
def test_each_fold_has_its_own_cases(model, cases, problem):
    if cases[0] and cases.get(1) == ["a"]:
        save(model / "fold_1/validation/a.png", np.zeros((8, 8)))
        (model / "fold_1/validation/b.png").unlink()
    with pytest.raises(ModelError, match=problem):
        merge_validations(model, cases, model.parent / "references", Progress())
    assert not list(model.glob("crossval*"))
