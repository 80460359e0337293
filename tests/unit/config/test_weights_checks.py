"""Where the weights come from: a file, a folder, the publisher, or nowhere."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("model", "name", "size", "where"),
    [
        (
            "backbone: retfound",
            "retfound",
            "mae_cfp",
            "RETFound_mae_natureCFP, fetched by hand from YukunZhou on the Hugging Face hub after "
            "accepting the terms (https://github.com/rmaphoh/RETFound)",
        ),
        (
            "backbone: visionfm\n  backbone_size: slit_lamp",
            "visionfm",
            "slit_lamp",
            "Slit Lamp, fetched by hand from the table in https://github.com/ABILab-CUHK/VisionFM",
        ),
    ],
)
def test_weights_that_are_fetched_by_hand(faults_of, run_of, model, name, size, where):
    assert faults_of(f"model:\n  checkpoint_path: ''\n  {model}\n") == (
        "run.yaml, line 2, model.checkpoint_path: given ''; allowed: the path of the weights of "
        f"backbone '{name}', size '{size}': {where}; or pretrained: false for random ones"
    )
    assert run_of(f"model:\n  pretrained: false\n  {model}\n").model.backbone_size == size
    Path("weights.pth").touch()
    assert run_of(f"model:\n  checkpoint_path: weights.pth\n  {model}\n").model.pretrained


def test_a_size_that_is_wrong_is_the_only_problem(faults_of):
    assert faults_of("model:\n  backbone: retfound\n  backbone_size: large\n") == (
        "run.yaml, line 3, model.backbone_size: Backbone 'retfound' has no size 'large'. Sizes: "
        "mae_cfp, mae_oct, mae_meh, mae_shanghai, dinov2_meh, dinov2_shanghai."
    )


def test_a_snapshot_of_the_hub(run_of, run_folder):
    snapshot = run_folder / "dinov2-small"
    snapshot.mkdir()
    (snapshot / "config.json").write_text("{}")
    run = run_of("model: {checkpoint_path: dinov2-small, backbone: dinov2}\n")
    assert run.model.checkpoint_path == str(snapshot)


@pytest.mark.parametrize(
    ("key", "given", "problem"),
    [
        (
            "expected_coverage",
            0.9,
            "given 0.9 without checkpoint_path; allowed: 1.0, because published weights bring the "
            "whole backbone",
        ),
        (
            "checkpoint_key",
            "teacher",
            "given 'teacher' without checkpoint_path; allowed: null, because published weights are "
            "one network",
        ),
    ],
)
def test_what_a_file_is_needed_for(faults_of, run_of, key, given, problem):
    text = f"model:\n  {key}: {given}\n"
    assert faults_of(text) == f"run.yaml, line 2, model.{key}: {problem}"
    Path("weights.pth").touch()
    run = run_of(f"{text}  checkpoint_path: weights.pth\n")
    assert getattr(run.model, key) == given
