"""vit_cli plan on raw data, and the training of the run file that it writes."""

import json

import pytest

pytestmark = pytest.mark.end_to_end

RUN = """
    # a toy
    data: {dataset: 901}
    paths: {raw: raw, preprocessed: planned, results: planned_results}
    model: {head: linear, backbone: "timm:test_vit", pretrained: false}
    train: {num_epochs: 1, num_iterations_per_epoch: 2, num_val_iterations_per_epoch: 1,
            patch_size: null}  # short
"""


def test_a_raw_dataset_is_planned_and_trained(installed):
    config = installed.write("to_plan.yaml", RUN)
    words = ["plan", "--config", config, "--gpu-memory", "4", "--device", "cpu"]
    out = installed.succeed(*words, "-o", "planned.yaml")
    assert "Checking the files of Dataset901_SampleFundus" in out
    assert "Planning Dataset901_SampleFundus: its fingerprint and nnU-Net's plans …" in out
    planned = installed.folder / "planned"
    assert not any(planned.rglob("*.b2nd"))
    plans = (planned / "Dataset901_SampleFundus/nnUNetPlans.json").read_text()
    plan = json.loads(installed.succeed(*words, "--json"))
    assert plan["run"]["patch_size"] == plan["size"]["image"]

    trained = installed.succeed("train", "--config", "planned.yaml", "--device", "cpu")
    assert "Preprocessing" in trained and "Planning" not in trained
    assert "Measured" not in trained and not list(planned.rglob("*.planned.json"))
    assert (planned / "Dataset901_SampleFundus/nnUNetPlans.json").read_text() == plans
    (model,) = (installed.folder / "planned_results").glob("Dataset901_SampleFundus/*")
    own = json.loads((model / "plans.json").read_text())["configurations"]["2d"]
    assert own["patch_size"] == plan["run"]["patch_size"]
    assert own["batch_size"] == plan["run"]["batch_size"]
