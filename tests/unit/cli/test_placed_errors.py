"""What a dataset makes wrong with a run, found deep in a training, is said with the file's line."""

import sys
from pathlib import Path

import pytest

from nnunet_vit.config.problems import unplaced_error

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words", "function"),
    [
        (["train"], "nnunet_vit.training.run.train"),
        (["train", "--folds", "0", "1"], "nnunet_vit.training.cross_validation.cross_validate"),
        (["show-batch"], "nnunet_vit.training.shown_batch.first_patches"),
    ],
)
def test_the_file_and_the_line_are_named(vit_cli, monkeypatch, words, function):
    def refuse(*arguments, **more):
        raise unplaced_error([("train.loss.focal", "no such class")])

    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(function, refuse)
    Path("run.yaml").write_text("model: {head: linear}\ntrain:\n  loss: {focal: 1}\n")
    code, _, err = vit_cli(*words, "--config", "run.yaml")
    assert (code, err) == (
        2, "error[config]: run.yaml, line 3, train.loss.focal: no such class\n"
    )  # fmt: skip
