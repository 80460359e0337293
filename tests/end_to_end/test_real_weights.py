"""Real pretrained weights: a DINOv2-small snapshot is loaded whole, tuned, predicted with."""

import csv
import os
from pathlib import Path

import pytest

WEIGHTS = Path(os.environ.get("NNUNET_VIT_WEIGHTS", ""))
RUN = """
    data: {dataset: 901, configuration: 2d, fold: 0}
    paths: {raw: raw, preprocessed: preprocessed, results: real weights}
    model: {head: linear, backbone: dinov2, backbone_size: small, checkpoint_path: %s}
    train: {num_epochs: 2, num_iterations_per_epoch: 5, num_val_iterations_per_epoch: 1,
            batch_size: 4, patch_size: [126, 126], seed: 3}
"""

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (WEIGHTS / "model.safetensors").is_file(),
        reason="no DINOv2-small snapshot: NNUNET_VIT_WEIGHTS names its folder",
    ),
]


def losses(model):
    with (model / "fold_0" / "history.csv").open() as file:
        return [float(row["train_loss"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("tuning", ["frozen", "last_blocks", "lora", "dora", "full"])
def test_ten_steps_learn_and_predict(installed, tuning):
    config = installed.write("real.yaml", RUN % f'"{WEIGHTS.resolve()}"')
    words = ["train", "--config", config, "--device", "cpu", "--set", f"model.tuning={tuning}"]
    output = installed.succeed(*words)
    assert "covers 100 % of the backbone" in output, output
    model = Path(output.splitlines()[-1].split("--model '")[1].split("'")[0])
    first, second = losses(installed.folder / model)
    assert second < first
    masks = f"masks {tuning}"
    images = installed.folder / "raw" / "Dataset901_SampleFundus" / "imagesTs"
    installed.succeed("predict", "-i", images, "-o", masks, "--model", model, "--device", "cpu")
    assert len(list((installed.folder / masks).glob("*.png"))) == len(list(images.iterdir()))
