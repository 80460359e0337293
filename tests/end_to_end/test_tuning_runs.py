"""Fine-tuning from a file of weights: every method, small checkpoints, resumed to the same bits."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from alike_masks import ALIKE, equal_share, masks_of
from safetensors.torch import load_file, save_file

pytestmark = pytest.mark.end_to_end

RUN = """
    data: {dataset: 901, configuration: 2d, fold: 0}
    paths: {raw: raw, preprocessed: preprocessed, results: RESULTS}
    model: {head: stranger, backbone: "timm:test_vit", checkpoint_path: vit.safetensors,
            decoder: {width: 8}, tuning: METHOD}
    lora: {enabled: false, r: 2, lora_dropout: 0.2}
    train: {num_epochs: 3, num_iterations_per_epoch: 3, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 96], seed: 7, ema: 0.9, layer_decay: DECAY,
            schedule: cosine, gradient_accumulation: 2, gradient_checkpointing: CHECKPOINTING}
"""


@pytest.fixture(scope="module")
def weights(installed):
    """A file of pretrained weights, as timm's own models hold them."""
    import timm

    torch.manual_seed(3)
    path = installed.folder / "vit.safetensors"
    save_file(timm.create_model("test_vit", num_classes=0).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def train(installed, weights):
    """`train("dora")` trains a method to its end, once, and returns output and model folder."""
    done = {}

    def run(method, results="tuned"):
        key = (method, results)
        if key not in done:
            config = write_run(installed, method, results)
            output = installed.succeed("train", "--config", config, "--device", "cpu")
            done[key] = output, model_folder(output)
        return done[key]

    return run


@pytest.fixture(scope="module")
def train_killed(installed, weights):
    """`train_killed("dora")` does so with a kill after each epoch, and keeps no whole model."""
    done = {}

    def run(method):
        if method not in done:
            done[method] = killed_twice(installed, method)
        return done[method]

    return run


def killed_twice(installed, method):
    config = write_run(installed, method, "killed")
    words = ["train", "--config", config, "--device", "cpu"]
    words += ["--set", "train.save_whole_model=false"]
    command, environment = installed.start("vit_cli", *words)
    for last in ("epoch 1/3", "epoch 2/3"):
        process = subprocess.Popen(
            command, cwd=installed.folder, env=environment, stdout=subprocess.PIPE, text=True
        )
        for line in process.stdout:
            if line.startswith(last):
                process.send_signal(signal.SIGKILL)
        process.wait()
        if Path("/proc").is_dir():
            assert no_process_of(str(installed.folder)), "a worker outlives its killed parent"
        command, _ = installed.start("vit_cli", *words, "--continue")
    output = installed.succeed(*words, "--continue")
    return output, model_folder(output)


def no_process_of(folder):
    """Tell whether, within seconds, nothing runs in a folder any more."""
    for _ in range(50):
        places = [link(process / "cwd") for process in Path("/proc").iterdir()]
        if folder not in places:
            return True
        time.sleep(0.1)
    return False


def link(path):
    try:
        return os.readlink(path)
    except OSError:  # no process, gone meanwhile, or not ours
        return ""


def write_run(installed, method, results="tuned"):
    frozen = method == "frozen"
    values = {
        "RESULTS": results,
        "METHOD": method,
        "DECAY": "1.0" if frozen else "0.8",
        "CHECKPOINTING": "false" if frozen else "true",
    }
    text = RUN
    for word, value in values.items():
        text = text.replace(word, value)
    return installed.write(f"{method}.yaml", text)


def model_folder(output):
    return Path(output.splitlines()[-1].split("--model '")[1].split("'")[0])


def assert_same_masks(one, other):
    assert len(one) == 2
    assert equal_share(one, other) >= ALIKE


def predict(installed, model, name, *words):
    masks = installed.folder / name
    installed.succeed("predict", "-i", installed.dataset() / "imagesTs", "-o", masks,
                      "--model", model, "--device", "cpu", *words)  # fmt: skip
    return masks_of(masks)


SLOW = pytest.mark.slow  # its parts are the others': minutes saved where two cores are all there is


@pytest.mark.parametrize(
    "method",
    [
        "lora",
        *(
            pytest.param(method, marks=SLOW)
            for method in ("frozen", "full", "last_blocks", "dora", "rslora", "vera", "ia3")
        ),
    ],
)
def test_every_method_trains_and_tells_what_it_loaded(train, method, weights):
    output, folder = train(method)
    assert f"Weights: {weights.name} covers 100 % of the backbone: 78 tensors" in output
    assert f"-{method}-" in folder.name
    fold = folder / "fold_0"
    assert f"tuning: {method}" in (fold / "run.yaml").read_text()
    state = json.loads((fold / "ckpt" / "epoch_00003" / "state.json").read_text())
    assert state["state"]["base"]["file"]["name"] == weights.name


@pytest.mark.parametrize(
    "method", ["lora", *(pytest.param(m, marks=SLOW) for m in ("frozen", "dora"))]
)
def test_a_small_checkpoint_leaves_the_blocks_frozen_weights_out(train, method):
    fold = train(method)[1] / "fold_0"
    small = load_file(fold / "ckpt" / "epoch_00003" / "weights.safetensors")
    names = [name for name in small if "blocks." in name]
    assert all("lora_" in name for name in names) and bool(names) == (method != "frozen")
    assert not list(fold.glob("ckpt/.tmp*"))


@SLOW
def test_nothing_is_left_out_where_everything_is_trained(train):
    fold = train("full")[1] / "fold_0"
    small = load_file(fold / "ckpt" / "epoch_00003" / "weights.safetensors")
    whole = torch.load(fold / "checkpoint_final.pth", weights_only=True)["network_weights"]
    assert small.keys() == whole.keys()
    assert all(torch.equal(small[name], whole[name]) for name in whole)


@SLOW
@pytest.mark.parametrize("method", ["lora", "dora", "vera", "ia3"])
def test_stock_nnunet_predicts_merged_adapters_to_the_same_pixels(installed, train, method):
    _, folder = train(method)
    whole = torch.load(folder / "fold_0" / "checkpoint_final.pth", weights_only=True)
    names = " ".join(whole["network_weights"])
    assert not any(mark in names for mark in ("lora_", "vera_", "ia3_", "base_layer"))
    ours = predict(installed, folder, f"ours {method}")
    stock = installed.folder / f"stock {method}"
    done = installed("nnUNetv2_predict_from_modelfolder", "-i", installed.dataset() / "imagesTs",
                     "-o", stock, "-m", folder, "-f", "0", "-device", "cpu")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert_same_masks(ours, masks_of(stock))


@pytest.mark.parametrize(
    "method", ["lora", *(pytest.param(m, marks=SLOW) for m in ("dora", "last_blocks", "vera"))]
)
def test_a_killed_run_ends_with_the_same_bits_as_an_unbroken_one(train, train_killed, method):
    _, unbroken = train(method)
    output, killed = train_killed(method)
    assert "Resuming after epoch 2 of 3." in output and "epoch 2/3" not in output
    assert killed.name == unbroken.name
    for name in ("weights", "optim"):
        file = f"fold_0/ckpt/epoch_00003/{name}.safetensors"
        assert (killed / file).read_bytes() == (unbroken / file).read_bytes(), name
    scores = [json.loads((f / "fold_0/validation/summary.json").read_text())["foreground_mean"]
              for f in (unbroken, killed)]  # fmt: skip
    assert scores[0] == scores[1]


@SLOW
def test_a_damaged_checkpoint_is_passed_over_and_named(installed, train):
    _, folder = train("last_blocks", results="damaged")
    fold = folder / "fold_0"
    before = (fold / "ckpt" / "epoch_00003" / "weights.safetensors").read_bytes()
    (fold / "checkpoint_final.pth").unlink()
    damaged = bytearray(before)
    damaged[-9] ^= 1
    (fold / "ckpt" / "epoch_00003" / "weights.safetensors").write_bytes(damaged)
    words = ["train", "--config", "last_blocks.yaml", "--device", "cpu"]
    output = installed.succeed(*words, "--continue")
    (notice,) = [line for line in output.splitlines() if "epoch_00003" in line]
    assert "has changed since it was saved. Resuming from epoch_00002." in notice
    assert "Resuming after epoch 2 of 3." in output
    again = fold / "ckpt" / "epoch_00003" / "weights.safetensors"
    assert again.read_bytes() == before


def test_without_a_whole_model_prediction_needs_the_base(installed, train, train_killed, weights):
    _, folder = train("lora")
    expected = predict(installed, folder, "from whole")
    _, small = train_killed("lora")
    assert not (small / "fold_0" / "checkpoint_final.pth").exists()
    assert_same_masks(predict(installed, small, "from small"), expected)
    moved = installed.folder / "elsewhere.safetensors"
    shutil.move(weights, moved)
    try:
        done = installed.vit_cli(
            "predict", "-i", installed.dataset() / "imagesTs", "-o", "none", "--model", small,
            "--device", "cpu",
        )  # fmt: skip
        assert done.returncode == 5
        (line,) = done.stdout.splitlines()  # images are looked at before weights
        assert line.startswith("Checking the images of ")
        assert done.stderr == (
            "error[model]: The checkpoint holds what was trained; its pretrained weights, "
            f"{weights}, are not there. Fix: --pretrained-weights FILE, the weights file that the "
            "run was started from.\n"
        )
        assert_same_masks(
            predict(installed, small, "moved", "--pretrained-weights", moved), expected
        )
    finally:
        shutil.move(moved, weights)


def test_another_base_is_refused(installed, train_killed, weights):
    _, small = train_killed("lora")
    other = {name: tensor + 0.01 for name, tensor in load_file(weights).items()}
    path = installed.folder / "other.safetensors"
    save_file(other, path)
    done = installed.vit_cli(
        "predict", "-i", installed.dataset() / "imagesTs", "-o", "none", "--model", small,
        "--device", "cpu", "--base", path,
    )  # fmt: skip
    assert done.returncode == 5
    assert done.stderr.startswith("error[model]: ") and len(done.stderr.splitlines()) <= 2
    assert re.search(r"[0-9a-f]{8}", done.stderr)
    assert not (installed.folder / "none").exists()
