"""A training that is lengthened, ends early, is drawn and followed: by the real command."""

import csv
import signal
import subprocess

import pytest
import torch

pytestmark = pytest.mark.end_to_end

RUN = """
    data: {dataset: 901, configuration: 2d, fold: 0}
    paths: {raw: raw, preprocessed: preprocessed, results: longer}
    model: {head: linear, backbone: "timm:test_vit", pretrained: false}
    train: {num_epochs: 1, num_iterations_per_epoch: 2, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 96], seed: 5, initial_lr: 0.01}
"""
TRAIN = ("train", "--config", "longer.yaml", "--device", "cpu", "--set")
LONGER = "train.num_epochs=3"
# what changes no weight: pictures, a tracker that works and one that cannot
WATCHED = ("paths.results=watched", "train.overlay_every=1",
           "trackers={tensorboard: , mlflow: {uri: 'http://127.0.0.1:9'}}")  # fmt: skip


@pytest.fixture(scope="module")
def plain(installed):
    """The model folder of a training of one epoch that is lengthened to three; the output too."""
    installed.write("longer.yaml", RUN)
    installed.succeed(*TRAIN, "train.seed=5")
    output = installed.succeed(*TRAIN, LONGER, "--continue")
    (folder,) = (installed.folder / "longer").glob("*/*")
    return folder, output


@pytest.fixture(scope="module")
def watched(installed, plain):
    """The same, drawn and followed, and killed in its second epoch of three."""
    pytest.importorskip("tensorboard")
    pytest.importorskip("mlflow")
    installed.succeed(*TRAIN, *WATCHED)
    command, environment = installed.start("vit_cli", *TRAIN, *WATCHED, LONGER, "--continue")
    process = subprocess.Popen(
        command, cwd=installed.folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.startswith("epoch 2/3"):
            process.send_signal(signal.SIGKILL)
    process.wait()
    output = installed.succeed(*TRAIN, *WATCHED, LONGER, "--continue")
    (folder,) = (installed.folder / "watched").glob("*/*")
    return folder, output


def weights_of(folder):
    file = folder / "fold_0" / "checkpoint_final.pth"
    return torch.load(file, weights_only=True)["network_weights"]


def history_of(folder):
    with (folder / "fold_0" / "history.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_longer_training_says_so(plain):
    folder, output = plain
    first, second, *_ = output.splitlines()
    assert first == (
        "The training is lengthened from 1 to 3 epochs: after epoch 1 the learning rates rise and "
        "fall once more."
    )
    assert second == "Resuming after epoch 1 of 3."
    planned = [(row["epoch"], row["num_epochs"]) for row in history_of(folder)]
    assert planned == [("1", "1"), ("2", "3"), ("3", "3")]
    assert (folder / "fold_0" / "validation" / "summary.json").is_file()


def test_kills_pictures_and_trackers_change_no_weight(plain, watched):
    one, other = weights_of(plain[0]), weights_of(watched[0])
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name
    kept = ("epoch", "train_loss", "validation_loss", "dice", "learning_rate")
    rows = [
        [[row[key] for key in kept] for row in history_of(each[0])] for each in (plain, watched)
    ]
    assert rows[0] == rows[1]


def test_what_is_left_to_look_at(watched):
    folder, output = watched
    pictures = sorted((folder / "fold_0" / "overlays").glob("*/*.png"))
    cases = {picture.parent.name for picture in pictures}
    masks = {mask.stem for mask in (folder / "fold_0" / "validation").glob("*.png")}
    assert cases == masks
    for case in cases:
        names = [picture.name for picture in pictures if picture.parent.name == case]
        drawn = [f"epoch_{epoch:05d}.png" for epoch in (1, 2, 3)]
        assert names in (drawn, [drawn[0], drawn[2]])  # the kill came after the epoch was saved
    assert list((folder / "fold_0" / "tensorboard").iterdir())
    assert "Warning: Tracker 'mlflow' fails: " in output and "The training continues." in output


def test_it_is_the_longer_run_from_now_on(installed, plain):
    shorter = installed.vit_cli(*TRAIN, "train.num_epochs=1", "--continue")
    assert shorter.returncode == 2
    assert "was lengthened to 3 epochs; train.num_epochs is 1. Fix: --set " in shorter.stderr


@pytest.mark.slow  # unit tests end trainings
def test_patience_ends_it_and_what_it_leaves_is_finished(installed):
    installed.write("longer.yaml", RUN)
    words = ("train.num_epochs=9", "train.patience=1", "train.initial_lr=0.000001",
             "paths.results=early")  # fmt: skip
    output = installed.succeed(*TRAIN, *words)
    assert "the smoothed Dice has not risen for 1 epoch (train.patience)." in output
    (folder,) = (installed.folder / "early").glob("*/*")
    epochs = len(history_of(folder))
    assert epochs < 9
    again = installed.succeed(*TRAIN, *words, "--continue")
    assert "pseudo Dice" not in again
    assert len(history_of(folder)) == epochs
