"""A run's own summary.json is what compare, runs and nnU-Net take for its result."""

import shutil

import numpy as np
import pytest
from mask_folders import folders as folders

from nnunet_vit.evaluation.evaluate import evaluate_folder
from nnunet_vit.report.progress import Progress

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
