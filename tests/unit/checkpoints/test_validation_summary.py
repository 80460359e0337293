"""nnU-Net's summary.json: sound ones are read, damaged ones are named with the command to run."""

import json

import pytest

from nnunet_vit.checkpoints.validation_summary import damage_of, summary_entries
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit
ENTRIES = [{"prediction_file": "a.png", "metrics": {}}]


@pytest.fixture
def summary(tmp_path):
    """`summary(fold)` returns the file of a fold of nnU-Net's own run, which is sound."""

    def make(fold):
        model = tmp_path / "Dataset007_Mine/nnUNetTrainer__nnUNetPlans__2d"
        file = model / f"fold_{fold}/validation/summary.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"metric_per_case": ENTRIES}))
        return file

    return make


def test_sound_and_missing_ones(summary, tmp_path):
    file = summary(0)
    assert summary_entries(file) == ENTRIES
    assert damage_of([file, tmp_path / "none.json"]) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty."),
        ('{"metric_per_case": [{"pred', "it cannot be read as JSON: Unterminated string"),
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ("[]", "metric_per_case is missing or of another type."),
        ('{"metric_per_case": [{"metrics": {}}]}', "metric_per_case is missing or of another"),
    ],
)
def test_damaged_ones(summary, text, reason):
    file = summary(0)
    file.write_text(text)
    with pytest.raises(DataError) as caught:
        summary_entries(file)
    assert str(caught.value).startswith(f"{file} is damaged: {reason}")


def test_what_to_do_for_folds_of_nnunet(summary):
    files = [summary(fold) for fold in (0, 1, 2)]
    for file in files[1:]:
        file.write_text("")
    found = damage_of(files)
    assert found.problem == " ".join(f"{file} is damaged: it is empty." for file in files[1:])
    assert found.fix == (
        "validate again: for FOLD in 1 2; do nnUNetv2_train 007 2d $FOLD -tr "
        "nnUNetTrainer -p nnUNetPlans --val; done"
    )


def test_what_to_do_for_folds_of_ours(summary):
    file = summary("all")
    run = file.parents[1] / "run.yaml"
    run.touch()
    file.write_text("{")
    assert damage_of([file]).fix == (
        f"validate again: vit_cli train --config {run} --folds all --continue"
    )


def test_what_to_do_for_other_folders(tmp_path):
    file = tmp_path / "masks/summary.json"
    file.parent.mkdir()
    file.write_text("{")
    fix = f"vit_cli evaluate -p {file.parent} -r REFERENCES writes it again."
    assert damage_of([file]).fix == fix
