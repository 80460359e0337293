"""vit_cli train without a run file, and what it plans for runs that leave patch or batch open."""

import json

import pytest

pytestmark = pytest.mark.end_to_end

SHORT = ("train.num_epochs=1", "train.num_iterations_per_epoch=2",
         "train.num_val_iterations_per_epoch=1")  # fmt: skip
MODEL = ("model.pretrained=false", "model.backbone=timm:vit_tiny_patch16_224")
TRAIN = ("train", 901, "--set", *MODEL, *SHORT, "--device", "cpu")
ONE_THREAD = {"OMP_NUM_THREADS": "1"}  # threads wait for each other where cores are shared
RUN = """
    data: {dataset: 901}
    model: {head: linear, backbone: "timm:test_vit", pretrained: false}
    train: {num_epochs: 1, num_iterations_per_epoch: 2, num_val_iterations_per_epoch: 1}
"""
# as the versions that did not plan have trained such a run
BEFORE = """
from pathlib import Path
from nnunet_vit.config.load import load_run
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.fold_preparation import Request
from nnunet_vit.training.run import train

if __name__ == "__main__":
    train(load_run(Path("open.yaml")), Request("cpu"), Progress())
"""


@pytest.fixture
def planned(installed):
    """A folder of preprocessed and trained data of the test's own, by the variables alone."""

    def run(*words, place="planned"):
        folders = {"raw": "raw", "preprocessed": f"{place} pre", "results": f"{place} res"}
        variables = {f"nnUNet_{key}": str(installed.folder / name) for key, name in folders.items()}
        done = installed.vit_cli(*words, **variables, **ONE_THREAD)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def models(installed, place="planned"):
    return sorted((installed.folder / f"{place} res/Dataset901_SampleFundus").glob("nnUNet*"))


def sizes(model):
    own = json.loads((model / "plans.json").read_text())["configurations"]["2d"]
    return own["patch_size"], own["batch_size"]


def test_a_dataset_alone_is_planned_trained_and_predicted(installed, planned):
    first = planned(*TRAIN)
    order = ["Checking the files of", "Planning Dataset901", "Measured without running: 1 training",
             "Planned for this machine's free memory: a step takes", "The run keeps this plan, in ",
             "Preprocessing 6 cases", "epoch 1/1", "Mean Dice"]  # fmt: skip
    found = [first.index(text) for text in order]
    assert found == sorted(found)
    assert "  train.patch_size [96, 96]: 36 tokens hold the median image, 96 x 96 pixels" in first
    (model,) = models(installed)
    assert sizes(model) == ([96, 96], 2)
    assert "patch_size:\n  - 96\n  - 96\n" in (model / "fold_0/run.yaml").read_text()

    masks = installed.folder / "masks of no run file"
    planned("predict", "-i", installed.dataset() / "imagesTs", "-o", masks, "--model", model,
            "--folds", 0, "--device", "cpu")  # fmt: skip
    assert len(list(masks.glob("*.png"))) == 2

    second = planned(*TRAIN, "--folds", 0, 1, "--continue")
    assert "As planned before for cpu, " in second
    assert "Fold 0 is trained and validated already." in second and "Measured" not in second
    assert models(installed) == [model] and (model / "fold_1/run.yaml").is_file()


@pytest.mark.slow  # unit tests settle such runs
def test_a_run_of_before_goes_on_with_nnunets_values(installed, planned):
    run = "paths: {raw: raw, preprocessed: before pre, results: before res}"
    installed.write("open.yaml", f"{RUN}\n    {run}\n")
    script = installed.write("before.py", BEFORE)
    done = installed("python", script, **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    (model,) = models(installed, "before")
    before = sizes(model)

    words = ("--folds", 0, 1, "--continue", "--set", "train.num_epochs=2", "--device", "cpu")
    longer = planned("train", "--config", "open.yaml", *words, place="before")
    line = f"{model.name} was begun with nnU-Net's patch and batch size, which it keeps."
    assert line in longer and "Measured" not in longer
    assert models(installed, "before") == [model] and sizes(model) == before
    assert (model / "fold_1/run.yaml").is_file()
    assert not list((installed.folder / "before pre").rglob("*.planned.json"))
