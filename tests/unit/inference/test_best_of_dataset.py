"""What best refuses: folds that cannot be compared, places that cannot be written."""

import json

import pytest
from read_only import read_only
from validated_runs import runs

from nnunet_vit.errors import ConfigError, MachineError
from nnunet_vit.inference.best_of_dataset import best_of_dataset
from nnunet_vit.report.progress import Progress

__all__ = ["read_only", "runs"]  # fixtures
pytestmark = pytest.mark.unit


def test_folds_that_share_cases(runs):
    splits = [{"train": [], "val": ["a", "b"]}, {"train": [], "val": ["b", "c"]}]
    (runs.preprocessed / "splits_final.json").write_text(json.dumps(splits))
    with pytest.raises(ConfigError, match="b validate in several of folds 0 1"):
        best_of_dataset("7", Progress(), folds=[0, 1])


def test_folds_that_are_not_there(runs):
    with pytest.raises(ConfigError) as caught:
        best_of_dataset("7", Progress())
    splits = runs.preprocessed / "splits_final.json"
    assert str(caught.value) == f"--folds 2 3 4: {splits} has 2 folds. Fix: --folds 0 1"


def test_where_the_file_cannot_be_written(runs, tmp_path):
    for output in (tmp_path, tmp_path / "none/best.json"):
        with pytest.raises(MachineError, match="-o "):
            best_of_dataset("7", Progress(), folds=[0, 1], output=output)


def test_results_that_are_read_only(runs, tmp_path, read_only):
    read_only(runs.results)
    with pytest.raises(MachineError, match=r"Merged validations, in .* is read-only"):
        best_of_dataset("7", Progress(), folds=[0, 1], output=tmp_path / "best.json")
