"""Runs with another loss and another augmentation: trained, repeated, killed, drawn."""

import re
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import io

pytestmark = pytest.mark.end_to_end

RUN = """
    data: {dataset: 901, configuration: 2d, fold: 0}
    paths: {raw: raw, preprocessed: preprocessed, results: RESULTS}
    model: {head: segformer, backbone: "timm:test_vit", pretrained: false,
            decoder: {hidden_size: 16}}
    train: {num_epochs: 2, num_iterations_per_epoch: 2, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 64], seed: 7}
"""
SWITCHES = {
    "whole batches": ["train.augmentation={strength: 1.5}", "train.augmentation_device=gpu"],
    "bfloat16": ["model.precision=bfloat16"],
    "compiled blocks": ["train.compile=blocks"],
    "kept features": ["model.tuning=frozen", "train.feature_cache={views: 4}"],
}
QUICK, SLOW = "whole batches", pytest.mark.slow
EVERYTHING = [
    "train.loss={dice: 1, cross_entropy: {label_smoothing: 0.1}, focal: 2, tversky: 1, "
    "cldice: {classes: [vessel]}, boundary: 0.5, class_weights: auto}",
    "train.augmentation={strength: 1.5, mirror: false, elastic: 2, colour: 1, stain: 1}",
]


def trained(installed, results, *overrides):
    config = installed.write("recipe.yaml", RUN.replace("RESULTS", results))
    words = ["train", "--config", config, "--device", "cpu"]
    return finished(installed.succeed(*words, *(["--set", *overrides] if overrides else [])))


@pytest.fixture(scope="module")
def whole(installed):
    """Output, folder and model of a training with every key, unbroken."""
    return trained(installed, "whole", *EVERYTHING)


def finished(output):
    folder = Path(output.splitlines()[-1].split("--model '")[1].split("'")[0])
    final = folder / "fold_0/checkpoint_final.pth"
    return output, folder, torch.load(final, map_location="cpu", weights_only=True)


def assert_same_bits(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def killed_and_continued(installed, words):
    command, environment = installed.start("vit_cli", *words, nnUNet_n_proc_DA="2")
    with subprocess.Popen(
        command, cwd=installed.folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            if line.startswith("epoch 1/2"):
                process.send_signal(signal.SIGKILL)
    return finished(installed.succeed(*words, "--continue"))


def test_every_key_trains(whole):
    output, _, model = whole
    assert re.search(r"Class weights: background 0\.\d+, optic_disc \d", output)
    assert "Loss: dice 1 + cross_entropy 1 (label_smoothing 0.1) + focal 2" in output
    assert model["inference_allowed_mirroring_axes"] is None


@pytest.mark.slow  # nnU-Net's usual loss is, with whole batches, below
def test_a_killed_training_is_continued_to_the_same_bits(installed, whole):
    config = installed.write("recipe.yaml", RUN.replace("RESULTS", "killed"))
    words = ["train", "--config", config, "--device", "cpu", "--set", *EVERYTHING]
    _, other, continued = killed_and_continued(installed, words)
    assert other.name == whole[1].name and other != whole[1]
    assert_same_bits(whole[2]["network_weights"], continued["network_weights"])


@pytest.mark.parametrize(
    "switch", [QUICK, *(pytest.param(name, marks=SLOW) for name in SWITCHES if name != QUICK)]
)
def test_with_each_switch_it_is_continued_to_the_same_bits(installed, switch):
    words, name = SWITCHES[switch], switch.replace(" ", "_")
    _, folder, model = trained(installed, name, *words)
    assert model["inference_allowed_mirroring_axes"] == (0, 1)
    config = installed.write("recipe.yaml", RUN.replace("RESULTS", f"killed_{name}"))
    command = ["train", "--config", config, "--device", "cpu", "--set", *words]
    _, other, continued = killed_and_continued(installed, command)
    assert other.name == folder.name and other != folder
    assert_same_bits(model["network_weights"], continued["network_weights"])


@pytest.mark.slow  # the words are one recipe in unit tests
def test_the_usual_loss_and_augmentation_in_many_words(installed):
    _, folder, model = trained(installed, "usual")
    assert model["inference_allowed_mirroring_axes"] == (0, 1)
    words = ["train.loss={cross_entropy: 1, dice: 1}", "train.augmentation={strength: 1}"]
    _, same, again = trained(installed, "said", *words)
    assert folder.name == same.name
    assert_same_bits(model["network_weights"], again["network_weights"])


def test_a_batch_is_drawn_and_nothing_else_is_written(installed):
    config = installed.write("recipe.yaml", RUN.replace("RESULTS", "none_yet"))
    words = ["show-batch", "901", "2d", "0", "--config", config, "--number", "3"]
    changed = ["--set", "train.augmentation={colour: {strength: 2, probability: 1}, elastic: 2}"]
    output = installed.succeed(*words, "-o", "one.png", *changed)
    assert output.splitlines()[-3:] == [
        "Augmentation: nnU-Net's set + colour 2 (probability 1.0) + elastic 2.",
        "3 patches of fold 0, seed 7.",
        "Picture: one.png",
    ]
    picture = io.imread(installed.folder / "one.png")
    assert picture.shape == (3 * (5 * 64 + 24) + 24, 4 * 5 * 64 + 3 * 8, 3)
    assert not (installed.folder / "none_yet").exists()
    installed.succeed(*words, "-o", "two.png", *changed)
    np.testing.assert_array_equal(picture, io.imread(installed.folder / "two.png"))
    refused = installed.vit_cli(*words, "--set", "train.loss.dice.classes=[vesel]")
    assert refused.returncode == 2 and "Did you mean 'vessel'?" in refused.stderr
    assert f"error[config]: {config}, --set train.loss.dice.classes=[vesel], " in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
