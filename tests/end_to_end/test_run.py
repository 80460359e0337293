"""A run from raw images to masks with a stranger's head, by the real commands."""

import json
import re
import shutil
from pathlib import Path

import pytest
from alike_masks import ALIKE, equal_share
from skimage import io

pytestmark = pytest.mark.end_to_end

RUN = """
    data: {dataset: 901, configuration: 2d, fold: 0}
    paths: {raw: raw, preprocessed: preprocessed, results: results}
    model:
      head: stranger
      backbone: timm:test_vit
      pretrained: false
      decoder: {width: 8}
    train: {num_epochs: 2, num_iterations_per_epoch: 3, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 96], seed: 7}
"""


@pytest.fixture(scope="module")
def trained(installed):
    """The output of a finished training and its model folder."""
    shutil.rmtree(installed.folder / "preprocessed", ignore_errors=True)  # another file's tests
    installed.write("run.yaml", RUN)
    output = installed.succeed("train", "--config", "run.yaml", "--device", "cpu")
    return output, model_folder(output)


def model_folder(output):
    return Path(output.splitlines()[-1].split("--model '")[1].split("'")[0])


def test_plain_lines_tell_what_happens_and_the_last_how_to_predict(trained):
    output, folder = trained
    every_half_minute = re.compile(r" so far$|: (case|step) \d+/\d+, ")  # on a slow machine
    lines = [line for line in output.splitlines() if not every_half_minute.search(line)]
    assert lines[0].startswith("Checking the files of Dataset901_SampleFundus: 8 cases")
    assert lines[1].startswith("Planning Dataset901_SampleFundus")
    assert lines[2].startswith("Preprocessing 6 cases")
    assert lines[3].startswith("epoch 1/2  train loss ")
    assert lines[4].startswith("epoch 2/2  train loss ")
    assert lines[-2] == f"Model: {folder}"
    assert lines[-1].startswith("Predict with: vit_cli predict -i IMAGES")
    assert "\x1b" not in output


def test_the_result_is_whole(trained):
    _, folder = trained
    fold = folder / "fold_0"
    assert json.loads((fold / "validation" / "summary.json").read_text())["foreground_mean"]
    assert "head: stranger" in (fold / "run.yaml").read_text()
    plans = json.loads((folder / "plans.json").read_text())
    assert plans["nnunet_vit"]["run"]["model"]["decoder"] == {"width": 8}
    assert list(folder.glob("**/*.unfinished")) == []
    assert (fold / "checkpoint_final.pth").is_file()
    assert (fold / "progress.png").is_file()


def test_no_warning_of_ours(trained, installed):
    done = installed.vit_cli("list-models", PYTHONWARNINGS="error")
    assert (done.returncode, done.stderr) == (0, "")


def test_stock_nnunet_predicts_the_same_pixels(trained, installed):
    _, folder = trained
    images = installed.dataset() / "imagesTs"
    ours, stock = installed.folder / "masks", installed.folder / "stock"
    output = installed.succeed(
        "predict", "-i", images, "-o", ours, "--model", folder, "--folds", "0", "--device", "cpu"
    )
    assert output.splitlines()[-1] == f"2 masks in {ours}"
    done = installed("nnUNetv2_predict_from_modelfolder", "-i", images, "-o", stock, "-m", folder,
                     "-f", "0", "-device", "cpu")  # fmt: skip
    assert done.returncode == 0, done.stderr
    masks = [
        {mask.name: io.imread(mask) for mask in folder.glob("*.png")} for folder in (ours, stock)
    ]
    assert len(masks[0]) == 2
    assert equal_share(*masks) >= ALIKE
    evaluated = installed.succeed(
        "evaluate", "-p", ours, "-r", installed.dataset() / "labelsTs", "-i", images,
        "--overlays", installed.folder / "overlays",
    )  # fmt: skip
    assert "optic_disc: " in evaluated and "vessel: " in evaluated
    pictures = list((installed.folder / "overlays").glob("*.png"))
    assert len(pictures) == 2
    height, width, colours = io.imread(pictures[0]).shape  # four views and a legend
    assert height > 96 and width > 4 * 96 and colours == 3


def test_a_finished_run_is_not_trained_over(trained, installed):
    _, folder = trained
    before = (folder / "fold_0" / "checkpoint_final.pth").read_bytes()
    done = installed.vit_cli("train", "--config", "run.yaml", "--device", "cpu")
    assert done.returncode == 2
    assert done.stderr == (
        f"error[config]: {folder / 'fold_0'} already holds this run's checkpoint_final.pth. "
        "Fix: --continue to resume, --overwrite to start from scratch, or change the run file.\n"
    )
    assert (folder / "fold_0" / "checkpoint_final.pth").read_bytes() == before


@pytest.mark.slow
def test_another_config_never_writes_into_this_run(trained, installed):
    _, folder = trained
    before = {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
    output = installed.succeed(
        "train", "--config", "run.yaml", "--device", "cpu", "--set", "model.decoder.width=4",
        "train.num_epochs=1",
    )  # fmt: skip
    assert model_folder(output) != folder
    assert {path: path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))} == before


def test_continue_without_a_checkpoint_is_an_error(installed, trained):
    done = installed.vit_cli(
        "train", "--config", "run.yaml", "--continue", "--set", "train.warmup=0.5"
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error[config]: --continue: there is no checkpoint of this run")


@pytest.mark.slow  # test_stopped_runs lets stock nnU-Net go on
def test_stock_nnunet_trains_the_run_too(trained, installed):
    _, folder = trained
    plans = folder.name.split("__")[1]
    pointer = installed.commands.parent.glob(
        "lib/*/site-packages/nnunet_vit/nnunet/external_trainers"
    )
    results = installed.folder / "stock results"
    done = installed(
        "nnUNetv2_train", "901", "2d", "1", "-tr", "nnUNetTrainerNoDeepSupervision_vit",
        "-p", plans, "-device", "cpu",
        nnUNet_extTrainer=str(next(pointer)), nnUNet_results=str(results),
        nnUNet_raw=str(installed.folder / "raw"),
        nnUNet_preprocessed=str(installed.folder / "preprocessed"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (summary,) = results.glob("*/*/fold_1/validation/summary.json")
    assert json.loads(summary.read_text())["foreground_mean"]
    shutil.rmtree(results)
