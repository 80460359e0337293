"""Dice of masks by nnU-Net's own evaluation, and folders that do not pair."""

import json

import numpy as np
import pytest

from nnunet_vit.errors import DataError
from nnunet_vit.nnunet.evaluation import Scores, evaluate_folder

pytestmark = pytest.mark.unit

PLANS = {"plans_name": "x", "configurations": {}}


class Silent:
    def say(self, text): ...


@pytest.fixture
def masks(tmp_path):
    """`masks(labels)` writes two cases: the disc is half right in one and right in the other."""

    def write(labels, **more):
        from skimage.io import imsave

        truth, wrong = np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8)
        truth[2:4], truth[6], wrong[3:5], wrong[6] = 1, 2, 1, 2
        content = {"predictions": {"a": wrong, "b": truth}, "references": {"a": truth, "b": truth}}
        for folder, cases in content.items():
            (tmp_path / folder).mkdir()
            for case, mask in cases.items():
                imsave(tmp_path / folder / f"{case}.png", mask, check_contrast=False)
        description = {"labels": labels, "file_ending": ".png", "channel_names": {"0": "R"}, **more}
        (tmp_path / "predictions" / "dataset.json").write_text(json.dumps(description))
        (tmp_path / "predictions" / "plans.json").write_text(json.dumps(PLANS))
        return tmp_path / "predictions", tmp_path / "references"

    return write


LABELS = {"background": 0, "disc": 1, "cup": 2}


@pytest.mark.slow  # nnU-Net starts a process that loads torch, as for the regions below
def test_labels(masks):
    scores = evaluate_folder(*masks(LABELS), Silent())
    assert scores.per_class == pytest.approx({"disc": 0.75, "cup": 1.0})
    assert scores.per_case == pytest.approx({"a.png": 0.75, "b.png": 1.0})
    assert scores.mean == pytest.approx(0.875)
    assert scores.summary.is_file()


def test_regions(masks):
    labels = {"background": 0, "whole": [1, 2], "cup": 2}
    scores = evaluate_folder(*masks(labels, regions_class_order=[1, 2]), Silent())
    assert list(scores.per_class) == ["whole", "cup"]
    assert scores.per_class["cup"] == pytest.approx(1.0)
    assert scores.per_class["whole"] == pytest.approx((32 / 48 + 1) / 2)


def refusal(folders):
    with pytest.raises(DataError) as caught:
        evaluate_folder(*folders, Silent())
    return str(caught.value)


@pytest.mark.parametrize("name", ["dataset.json", "plans.json"])
def test_a_folder_that_no_prediction_wrote(masks, name):
    predictions, references = masks(LABELS)
    (predictions / name).unlink()
    assert refusal((predictions, references)) == (
        f"{predictions / name} is missing. "
        "Fix: `vit_cli predict` writes dataset.json and plans.json beside its masks; for other "
        "masks copy them from the model folder."
    )


def test_folders_that_do_not_exist(tmp_path):
    missing = tmp_path / "none"
    assert refusal((missing, missing)).startswith(f"{missing} is missing. ")


@pytest.mark.parametrize(("lacking", "other"), [(0, 1), (1, 0)])
def test_masks_without_a_partner(masks, lacking, other):
    folders = masks(LABELS)
    (folders[lacking] / "a.png").unlink()
    assert refusal(folders) == f"{folders[lacking]} lacks 1 of 2 masks: a.png."


def test_no_masks_at_all(masks):
    folders = masks(LABELS)
    for case in "ab":
        (folders[1] / f"{case}.png").unlink()
    assert refusal(folders) == f"{folders[1]} holds no mask *.png."


def test_the_scores_as_text(tmp_path):
    scores = Scores(0.8754, {"disc": 0.75, "cup": 1.0}, {"a": 0.7, "b": 0.9}, tmp_path / "s.json")
    assert scores.as_text() == (
        f"Dice on 2 cases: mean 0.875\n  disc: 0.750\n  cup: 1.000\nPer case: {tmp_path}/s.json"
    )
