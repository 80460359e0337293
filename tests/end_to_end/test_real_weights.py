"""Real pretrained weights: a DINOv2-small snapshot is loaded whole, tuned, predicted with."""

import csv
import math
import os
from pathlib import Path

import pytest
from alike_masks import ALIKE, equal_share, masks_of
from repository_heads import HEADS

WEIGHTS = Path(os.environ.get("NNUNET_VIT_WEIGHTS", ""))
PLAIN = "linear"  # the head of every tuning method's test
RUN = """
    data: {dataset: 901, configuration: 2d, fold: 0}
    paths: {raw: raw, preprocessed: preprocessed, results: real weights}
    model: {head: %s, backbone: dinov2, backbone_size: small, checkpoint_path: %s}
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


@pytest.fixture
def train(installed):
    """Train ten steps with a tuning method and a head; return the model's folder."""
    config = installed.write("real.yaml", RUN % (PLAIN, f'"{WEIGHTS.resolve()}"'))

    def trained(tuning, head=PLAIN):
        words = ["train", "--config", config, "--device", "cpu", "--set"]
        output = installed.succeed(*words, f"model.tuning={tuning}", f"model.head={head}")
        assert "covers 100 % of the backbone" in output, output
        return installed.folder / output.splitlines()[-1].split("--model '")[1].split("'")[0]

    return trained


@pytest.mark.parametrize("tuning", ["frozen", "last_blocks", "lora", "dora", "full"])
def test_ten_steps_learn_and_stock_nnunet_predicts_the_same(installed, train, tuning):
    model = train(tuning)
    first, second = losses(model)
    assert second < first
    ours, stock = (installed.folder / f"{whose} {tuning}" for whose in ("ours", "stock"))
    images = installed.folder / "raw" / "Dataset901_SampleFundus" / "imagesTs"
    installed.succeed("predict", "-i", images, "-o", ours, "--model", model, "--device", "cpu")
    assert len(masks_of(ours)) == len(list(images.iterdir()))
    done = installed("nnUNetv2_predict_from_modelfolder", "-i", images, "-o", stock, "-m", model,
                     "-f", "0", "-device", "cpu")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert equal_share(masks_of(ours), masks_of(stock)) >= ALIKE


@pytest.mark.parametrize("head", [head for head in HEADS if head != PLAIN])
def test_every_head_learns_on_adapted_real_features(train, head):
    found = losses(train("lora", head))
    assert all(map(math.isfinite, found))
    assert found[1] < found[0]
