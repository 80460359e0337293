"""Going on after a stop: by stock nnU-Net, with files that have moved, with data that changed."""

import json
import shutil
import signal
import subprocess

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from skimage import io

pytestmark = pytest.mark.end_to_end

RUN = """
    data: {dataset: 901, configuration: 2d, fold: 1}
    paths: {raw: raw, preprocessed: preprocessed, results: "going on"}
    model: {head: linear, backbone: "timm:test_vit", checkpoint_path: going_on.safetensors}
    lora: {r: 2}
    train: {num_epochs: 4, num_iterations_per_epoch: 2, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 96], seed: 5, initial_lr: 0.01}
"""
TRAIN = ("train", "--config", "going_on.yaml", "--device", "cpu")


@pytest.fixture(scope="module")
def stopped(installed):
    """The model folder of a run that was killed after its second epoch of four."""
    import timm

    torch.manual_seed(3)
    vit = timm.create_model("test_vit", num_classes=0)
    save_file(vit.state_dict(), installed.folder / "going_on.safetensors")
    installed.write("going_on.yaml", RUN)
    command, environment = installed.start("vit_cli", *TRAIN)
    process = subprocess.Popen(
        command, cwd=installed.folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.startswith("epoch 2/4"):
            process.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = (installed.folder / "going on").glob("*/*")
    return folder


@pytest.fixture
def stock(installed, stopped):
    """`stock("--c")` trains the fold with nnU-Net's own command."""
    (trainers,) = installed.commands.parent.glob(
        "lib/*/site-packages/nnunet_vit/nnunet/external_trainers"
    )

    def run(*words):
        return installed(
            "nnUNetv2_train", "901", "2d", "1", "-tr", "nnUNetTrainer_vit",
            "-p", stopped.name.split("__")[1], "-device", "cpu", *words,
            nnUNet_extTrainer=str(trainers), nnUNet_results=str(installed.folder / "going on"),
            nnUNet_raw=str(installed.folder / "raw"),
            nnUNet_preprocessed=str(installed.folder / "preprocessed"),
        )  # fmt: skip

    return run


def dice(folder):
    return json.loads((folder / "fold_1/validation/summary.json").read_text())["foreground_mean"]


def test_other_cases_in_the_fold_are_refused(installed, stopped):
    splits = installed.folder / "preprocessed/Dataset901_SampleFundus/splits_final.json"
    before = splits.read_text()
    first, second, *rest = json.loads(before)
    splits.write_text(json.dumps([second, first, *rest]))
    done = installed.vit_cli(*TRAIN, "--continue")
    splits.write_text(before)
    assert done.returncode == 5
    assert done.stderr == (
        f"error[model]: Since the checkpoint in {stopped / 'fold_1'} was saved, the fold's "
        "training and validation cases have changed. Fix: bring back splits_final.json, "
        "nnUNetPlans.json and the raw data as they were, or --overwrite to start from scratch.\n"
    )


def test_stock_nnunet_does_not_start_over_a_result(stopped, stock):
    before = (stopped / "fold_1" / "LATEST").read_bytes()
    done = stock()
    assert done.returncode != 0
    assert "already holds a result of this run. Fix: nnUNetv2_train … --c" in done.stderr
    assert (stopped / "fold_1" / "LATEST").read_bytes() == before


def test_moved_weights_then_stock_nnunet_to_the_end(installed, stopped, stock, tmp_path):
    elsewhere = tmp_path / "moved.safetensors"
    shutil.move(installed.folder / "going_on.safetensors", elsewhere)
    output = installed.succeed(
        *TRAIN, "--continue", "--set", f"model.checkpoint_path={elsewhere}",
        "train.gradient_checkpointing=true",
    )  # fmt: skip
    assert "Resuming after epoch 2 of 4." in output and "epoch 4/4" in output
    assert [path.name for path in stopped.parent.iterdir()] == [stopped.name]
    shutil.copy(elsewhere, installed.folder / "going_on.safetensors")

    fold = stopped / "fold_1"
    final = dice(stopped)
    (fold / "checkpoint_final.pth").unlink()  # as if it was killed right before writing it
    installed.succeed(*TRAIN, "--continue")
    whole = torch.load(fold / "checkpoint_final.pth", weights_only=True)["network_weights"]
    assert not any("lora_" in name for name in whole)
    assert dice(stopped) == final

    shutil.rmtree(fold / "validation")
    assert stock("--val").returncode == 0
    assert dice(stopped) == final


@pytest.fixture
def finished(installed, stopped):
    """The model folder after the last epoch; the tests before have trained it, if they ran."""
    if not (stopped / "fold_1/validation/summary.json").exists():
        installed.succeed(*TRAIN, "--continue")
    return stopped


@pytest.mark.slow
def test_the_best_is_validated_and_predicts_when_told_to(installed, finished, stock):
    from nnunet_vit.checkpoints.store import CheckpointStore

    store, final = CheckpointStore(finished / "fold_1"), dice(finished)
    best = store.best()
    (bias,) = [name for name, tensor in best.weights.items() if tensor.shape == (3,)]
    best.weights[bias][1] = 1000.0  # a best one that finds optic disc everywhere
    store.save(best, best=True)
    done = stock("--val", "--val_best")
    assert done.returncode == 0, done.stdout + done.stderr
    assert dice(finished)["FN"] < final["FN"] and dice(finished)["FP"] > 1000
    masks = installed.folder / "best masks"
    installed.succeed(
        "predict", "-i", installed.dataset() / "imagesTs", "-o", masks, "--model", finished,
        "--folds", "1", "--checkpoint", "best", "--device", "cpu",
    )  # fmt: skip
    for file in masks.glob("*.png"):
        assert np.mean(io.imread(file) == 1) > 0.9
    assert len(list(masks.glob("*.png"))) == 2
