"""Five folds in one command, killed and resumed; nnU-Net's own tools on what they leave."""

import csv
import json
import shutil
import signal
import subprocess

import pytest
from skimage.io import imread, imsave
from stock_unets import train_unet, variables_of

pytestmark = pytest.mark.end_to_end

RUN = """
    data: {dataset: 902, configuration: 2d, fold: [0, 1, 2, 3, 4]}
    paths: {raw: many, preprocessed: "many pre", results: unbroken}
    model: {head: linear, backbone: "timm:test_vit", pretrained: false}
    train: {num_epochs: 2, num_iterations_per_epoch: 2, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 96], seed: 5, initial_lr: 0.01}
"""
TRAIN = ("train", "--config", "folds.yaml", "--device", "cpu")
BROKEN = ("--set", "paths.results=broken")
FOLDS = range(5)


@pytest.fixture(scope="module")
def thirty_cases(installed):
    small = ["--training-cases", 30, "--test-cases", 1, "--image-size", 64]
    installed.succeed("sample-dataset", "many/Dataset902_Many", *small)
    installed.write("folds.yaml", RUN)
    return installed


@pytest.fixture(scope="module")
def unbroken(thirty_cases):
    """The output and the model folder of five folds that nobody stopped."""
    output = thirty_cases.succeed(*TRAIN)
    (folder,) = (thirty_cases.folder / "unbroken").glob("*/*")
    return output, folder


def killed_at(installed, line, *words):
    """Start the command and kill it when a line begins so."""
    command, environment = installed.start("vit_cli", *TRAIN, *BROKEN, *words)
    process = subprocess.Popen(
        command, cwd=installed.folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    seen = False
    for text in process.stdout:
        if text.startswith(line):
            process.send_signal(signal.SIGKILL)
            seen = True
    process.wait()
    assert seen


@pytest.fixture(scope="module")
def broken(thirty_cases, unbroken):
    """The same after kills in the middle of fold 1 and at the start of fold 3's validation."""
    killed_at(thirty_cases, "fold 1  epoch 1/2")
    killed_at(thirty_cases, "fold 3  epoch 2/2", "--continue")
    output = thirty_cases.succeed(*TRAIN, *BROKEN, "--continue")
    (folder,) = (thirty_cases.folder / "broken").glob("*/*")
    return output, folder


def merged(folder):
    return folder / "crossval_results_folds_0_1_2_3_4"


def test_each_case_is_predicted_once(unbroken):
    output, folder = unbroken
    masks = sorted(path.name for path in merged(folder).glob("*.png"))
    assert masks == [f"fundus_{number:03}.png" for number in range(30)]
    summary = json.loads((merged(folder) / "summary.json").read_text())
    assert len(summary["metric_per_case"]) == 30
    assert "Fold 4, 5 of 5:" in output
    assert "Folds 0 1 2 3 4 together: Dice on 30 cases: mean " in output
    assert output.splitlines()[-1].endswith(f"--model '{folder}' --folds 0 1 2 3 4")
    for fold in FOLDS:
        assert f" on 6 validation cases of fold {fold}." in output


@pytest.mark.slow  # a killed fold is resumed to the same bits in test_longer_runs
def test_two_kills_change_no_bit(unbroken, broken):
    output, folder = broken
    for fold in range(3):
        assert f"Fold {fold} is trained and validated already." in output
    same = [path for path in merged(folder).iterdir() if path.name != "summary.json"]
    assert len(same) == 34
    for path in same:
        other = merged(unbroken[1]) / path.name
        assert path.read_bytes() == other.read_bytes(), path.name
    means = [
        json.loads((merged(one) / "summary.json").read_text())["foreground_mean"]
        for one in (folder, unbroken[1])
    ]
    assert means[0] == means[1]


def test_nnunets_own_tools_read_the_folds(thirty_cases, unbroken):
    _, folder = unbroken
    before = json.loads((merged(folder) / "summary.json").read_text())
    trainer, plans, configuration = folder.name.split("__")
    variables = {
        f"nnUNet_{key}": str(thirty_cases.folder / name)
        for key, name in (("raw", "many"), ("preprocessed", "many pre"), ("results", "unbroken"))
    }
    model = ("902", "-c", configuration, "-p", plans, "-tr", trainer)
    done = thirty_cases("nnUNetv2_accumulate_crossval_results", *model, "-o", "theirs", **variables)
    assert done.returncode == 0, done.stderr
    theirs = json.loads((thirty_cases.folder / "theirs/summary.json").read_text())
    assert theirs["foreground_mean"] == before["foreground_mean"]
    assert theirs["mean"] == before["mean"]
    best = thirty_cases("nnUNetv2_find_best_configuration", *model, **variables)
    assert best.returncode == 0, best.stderr
    assert "***Run inference like this:***" in best.stdout
    found = json.loads((folder.parent / "inference_information.json").read_text())
    assert found["best_model_or_ensemble"]["result_on_crossval_pre_pp"] == pytest.approx(
        before["foreground_mean"]["Dice"], nan_ok=True
    )


@pytest.fixture(scope="module")
def unet(thirty_cases, unbroken):
    """The model folder of nnU-Net's own U-Net, trained by its own command on fold 0."""
    folders = {"raw": "many", "preprocessed": "many pre", "results": "unbroken"}
    train_unet(thirty_cases, variables_of(thirty_cases, **folders), "902")
    return unbroken[1].with_name("nnUNetTrainerShort__nnUNetPlans__2d")


def test_a_run_beside_nnunets_own(thirty_cases, unbroken, unet):
    _, ours = unbroken
    words = ("compare", ours, unet, "--folds", 0, "--metrics", "dice", "hd95", "-o", "compared")
    output = thirty_cases.succeed(*words)
    assert f"A  {ours.name.removeprefix('nnUNetTrainer_vit__')} (folds 0, " in output
    (line,) = [one for one in output.splitlines() if one.startswith(f"B  {unet.name} (folds 0, ")]
    assert " M parameters, trained " in line
    assert "\n6 cases\n" in output
    rows = list(csv.DictReader((thirty_cases.folder / "compared/comparison.csv").open()))
    summary = json.loads((unet / "fold_0/validation/summary.json").read_text())
    disc = next(r for r in rows if (r["metric"], r["class"]) == ("dice", "optic_disc"))
    assert float(disc["other_mean"]) == pytest.approx(summary["mean"]["1"]["Dice"], nan_ok=True)
    assert (thirty_cases.folder / "compared/comparison.png").stat().st_size > 5000


def test_a_page_of_a_run_and_nnunets_own(thirty_cases, unbroken, unet):
    _, ours = unbroken
    output = thirty_cases.succeed("report", ours, unet, "--folds", 0, "-o", "both.html")
    assert output.splitlines()[-1].startswith("Report: both.html (")
    page = (thirty_cases.folder / "both.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 2 * 6 * 4  # the U-Net's images are known by ours
    assert "vit_cli train 902 2d 0 --config run.yaml" in page
    assert "2d 0 -tr nnUNetTrainerShort -p nnUNetPlans" in page
    assert page.count('role="img"') >= 2 * 5  # four curves and the sizes of each


def test_other_folds_cannot_be_compared(thirty_cases, unbroken, unet):
    done = thirty_cases.vit_cli("compare", unbroken[1], unet)
    assert done.returncode == 3
    assert done.stderr == (
        f"error[data]: {unet} has folds 0, {unbroken[1]} 0, 1, 2, 3, 4. Fix: --folds 0\n"
    )


def test_what_is_there_is_not_trained_over(thirty_cases, unbroken):
    done = thirty_cases.vit_cli(*TRAIN)
    assert done.returncode == 2
    assert done.stderr.startswith("error[config]: ")
    assert "already holds results of this run: fold 0 (checkpoint_final.pth), " in done.stderr


def test_a_label_that_changed_after_all_folds_were_finished(thirty_cases, unbroken):
    label = thirty_cases.folder / "many/Dataset902_Many/labelsTr/fundus_007.png"
    before = label.read_bytes()
    try:
        mask = imread(label)
        mask[:9] = 1
        imsave(label, mask, check_contrast=False)
        done = thirty_cases.vit_cli(*TRAIN, "--continue")
    finally:
        label.write_bytes(before)
    assert done.returncode == 3, done.stderr
    assert "fundus_007" in done.stderr
    output = thirty_cases.succeed(*TRAIN, "--continue")
    assert "Fold 4 is trained and validated already." in output


@pytest.mark.slow  # the refusal is in unit tests
def test_finished_folds_of_other_data_are_not_merged(thirty_cases, unbroken):
    """Another run has preprocessed the data again since."""
    for name in ("many", "many pre", "unbroken"):
        shutil.copytree(thirty_cases.folder / name, thirty_cases.folder / f"{name} again")
    label = thirty_cases.folder / "many again/Dataset902_Many/labelsTr/fundus_007.png"
    mask = imread(label)
    mask[:9] = 1
    imsave(label, mask, check_contrast=False)
    keys = {"raw": "many again", "preprocessed": "many pre again", "results": "unbroken again"}
    places = ["--set", *(f"paths.{key}={name}" for key, name in keys.items())]
    other = ("data.fold=0", "train.seed=6", "train.num_epochs=1", "--preprocess-again")
    thirty_cases.succeed(*TRAIN, *places, *other)
    done = thirty_cases.vit_cli(*TRAIN, *places, "--continue")
    assert done.returncode == 5, done.stdout + done.stderr
    assert done.stderr.startswith("error[model]: Since the checkpoint in ")
    assert "the images, labels or classes that the data were preprocessed from" in done.stderr


def test_a_fold_that_is_not_there_is_refused_before_any_is_trained(thirty_cases, unbroken):
    words = ("--folds", 0, 7, "--set", "paths.results=none")
    done = thirty_cases.vit_cli("train", "902", "2d", "--config", "folds.yaml", *words)
    assert done.returncode == 2
    assert "data.fold: 7; " in done.stderr
    assert not (thirty_cases.folder / "none").exists()


TOGETHER = ("--set", "paths.results=together", "data.fold=[0, 1]", "--jobs", 2)


def test_folds_side_by_side(thirty_cases, unbroken):
    output = thirty_cases.succeed(*TRAIN, *TOGETHER, "--overwrite")
    assert_alike_where_alone(output, thirty_cases, unbroken)


@pytest.mark.slow  # half a minute
def test_folds_side_by_side_are_killed_with_what_started_them(thirty_cases, unbroken):
    words = (*TOGETHER, "--overwrite")
    command, environment = thirty_cases.start("vit_cli", *TRAIN, *words)
    process = subprocess.Popen(
        command, cwd=thirty_cases.folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if "  epoch 1/2  " in line:
            process.kill()
    process.wait()
    # refused while one trains still
    output = thirty_cases.succeed(*TRAIN, *TOGETHER, "--continue")
    for fold in (0, 1):  # the kill may find one of them with its last epoch trained
        told = ("epoch 2/2", "Resuming after epoch 2 of 2.", "The training is done (2 epochs): ")
        on = tuple(f"fold {fold}  {words}" for words in told)
        assert any(line.startswith(on) for line in output.splitlines())
    assert_alike_where_alone(output, thirty_cases, unbroken)


def assert_alike_where_alone(output, thirty_cases, unbroken):
    """The folds that trained together are about as good as those that trained alone."""
    (folder,) = (thirty_cases.folder / "together").glob("*/*")
    assert "Folds 0 1 together: Dice on 12 cases: mean " in output
    for fold in (0, 1):
        both = [
            json.loads((one / f"fold_{fold}/validation/summary.json").read_text())
            for one in (folder, unbroken[1])
        ]
        dice = [summary["foreground_mean"]["Dice"] for summary in both]
        assert dice[0] == pytest.approx(dice[1], abs=0.05, nan_ok=True)
