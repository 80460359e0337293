"""A run's own summary.json is what compare, runs and nnU-Net take for its result."""

import shutil

import numpy as np
import pytest
from mask_folders import folders
from read_only import read_only

from nnunet_vit.errors import MachineError
from nnunet_vit.evaluation.evaluate import evaluate_folder
from nnunet_vit.report.progress import Progress

__all__ = ["folders", "read_only"]
pytestmark = pytest.mark.unit


def test_it_is_not_replaced_by_one_of_other_masks(folders, tmp_path):
    mask = np.zeros((8, 8), int)
    mask[2:5, 2:5], mask[6, 6] = 1, 2
    predictions, references = folders({"a": mask}, {"a": mask})
    validation = tmp_path / "model" / "fold_0" / "validation"
    shutil.copytree(predictions, validation)
    first = evaluate_folder(validation, references, Progress())
    own = first.summary.read_bytes()
    assert first.summary.name == "summary.json"
    copied = shutil.copytree(references, tmp_path / "labelsTr")
    second = evaluate_folder(validation, copied, Progress())
    assert (validation / "summary.json").read_bytes() == own
    assert second.summary.name == "metrics.csv"
    assert evaluate_folder(validation, references, Progress()).summary.name == "summary.json"


def test_a_damaged_one_is_replaced_and_that_is_said(folders, monkeypatch):
    warned = []
    monkeypatch.setattr(Progress, "warn", lambda _, text: warned.append(text))
    mask = np.ones((8, 8), int)
    predictions, references = folders({"a": mask}, {"a": mask})
    summary = predictions / "summary.json"
    summary.write_text("{")
    evaluate_folder(predictions, references, Progress())
    (line,) = [line for line in warned if "damaged" in line]
    assert line.startswith(f"{summary} is damaged: it cannot be read as JSON")
    assert line.endswith(f" It is written again, of {references}.")
    assert "metric_per_case" in summary.read_text()


def test_masks_in_a_folder_that_is_read_only(folders, read_only):
    predictions, references = folders({"a": np.ones((8, 8), int)}, {"a": np.ones((8, 8), int)})
    read_only(predictions)
    with pytest.raises(MachineError) as caught:
        evaluate_folder(predictions, references, Progress())
    assert str(caught.value) == (
        f"Metrics beside the masks of {predictions} cannot be written: the disk of that folder is "
        "read-only. Fix: copy the masks to a folder of your own, or allow writing there."
    )
