"""The best of a run and nnU-Net's U-Net, and both together: what nnU-Net's own commands make."""

import json
import shlex

import numpy as np
import pytest
from alike_masks import ALIKE, equal_share, masks_of
from stock_unets import train_unet, variables_of

pytestmark = pytest.mark.end_to_end

RUN = """
    data: {dataset: 903, configuration: 2d, fold: 0}
    paths: {raw: few, preprocessed: "few pre", results: found}
    model: {head: linear, backbone: "timm:test_vit", pretrained: false}
    train: {num_epochs: 2, num_iterations_per_epoch: 2, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 96], seed: 5, initial_lr: 0.01}
"""
FOLDERS = {"raw": "few", "preprocessed": "few pre", "results": "found"}
IMAGES = "few/Dataset903_Few/imagesTs"
UNET = "nnUNetTrainerShort__nnUNetPlans__2d"
# what nnUNetv2_apply_postprocessing reads, of the steps in a file
RULE = "from nnunet_vit.evaluation.ranking.postprocessing import write_for_nnunet as w; import "
RULE += "pathlib; w(((1, 2), (1,)), (1, 2), pathlib.Path('.'))"


@pytest.fixture(scope="module")
def nnunet(installed):
    """`nnunet("nnUNetv2_…", …)` runs one of nnU-Net's commands."""
    variables = variables_of(installed, **FOLDERS)

    def run(name, *words):
        done = installed(name, *words, **variables)
        assert done.returncode == 0, done.stdout + done.stderr

    run.variables = variables
    return run


@pytest.fixture(scope="module")
def both(installed, nnunet):
    """The model folders of the U-Net and of ours; its validation has kept no probabilities yet."""
    few = ["--training-cases", 10, "--test-cases", 2, "--image-size", 64]
    installed.succeed("sample-dataset", "few/Dataset903_Few", *few)
    installed.write("few.yaml", RUN)
    installed.succeed("train", "--config", "few.yaml", "--device", "cpu")
    train_unet(installed, nnunet.variables, "903", "--npz")
    (ours,) = (installed.folder / "found").glob("*/nnUNetTrainer_vit__*")
    return ours.with_name(UNET), ours


def best(installed, nnunet, *words):
    return installed.succeed("best", "903", "--folds", 0, *words, **nnunet.variables)


@pytest.fixture(scope="module")
def file(installed, nnunet, both):
    """What best writes once it has been told how to keep the probabilities that lack."""
    output = best(installed, nnunet)
    assert f"In no ensemble: {both[1].name.removeprefix('nnUNetTrainer_vit__')}: the " in output
    (remedy,) = [line.strip() for line in output.splitlines() if "--probabilities" in line]
    assert remedy.startswith("vit_cli train --config ")
    words = ("few.yaml", "--folds", 0, "--continue", "--probabilities", "--device", "cpu")
    before = (both[1] / "fold_0/validation/summary.json").read_text()
    installed.succeed("train", "--config", *words)
    assert (both[1] / "fold_0/validation/summary.json").read_text() == before
    output = best(installed, nnunet)
    assert "\n  A  nnUNetTrainerShort__nnUNetPlans__2d\n  B  linear-" in output
    assert "A+B  Dice 0." in output
    assert "\nTemperature " in output
    written = both[0].parent / "best.json"
    assert output.splitlines()[-2:] == [
        f"Written: {written}",
        f"Predict with: vit_cli predict -i IMAGES -o MASKS --ensemble {shlex.quote(str(written))}",
    ]
    return written


def predict(installed, nnunet, ensemble, masks, *words):
    words = ("-i", IMAGES, "-o", masks, "--ensemble", ensemble, "--device", "cpu", *words)
    return installed.succeed("predict", *words, **nnunet.variables)


@pytest.fixture(scope="module")
def stock_masks(nnunet, both, file):
    """Masks and probabilities of both models, by nnU-Net's own command."""
    for name, model in zip(("one", "two"), both, strict=True):
        words = ("-i", IMAGES, "-o", name, "-m", model, "-f", "0", "-device", "cpu")
        nnunet("nnUNetv2_predict_from_modelfolder", *words, "--save_probabilities")


def post_process(nnunet, masks, rule, processed):
    words = ("-pp_pkl_file", rule, "-np", "1", "-plans_json", "one/plans.json")
    nnunet("nnUNetv2_apply_postprocessing", "-i", masks, "-o", processed, *words)


def same_masks(*folders):
    ours, theirs = map(masks_of, folders)
    assert len(ours) == 2
    return equal_share(ours, theirs) >= ALIKE


@pytest.fixture(scope="module")
def alone(installed, nnunet, both, file):
    """The files that best writes of each model alone."""
    for model in both:
        best(installed, nnunet, model.name, "-o", f"{model.name}.json")
    return [installed.folder / f"{model.name}.json" for model in both]


def test_one_model_is_predicted_as_by_nnunet(installed, nnunet, both, alone, stock_masks):
    output = predict(installed, nnunet, alone[0], "alone")
    assert output.endswith("2 masks in alone\n")
    rule = both[0] / "crossval_results_folds_0/postprocessing.pkl"
    post_process(nnunet, "one", rule, "processed")
    assert same_masks(installed.folder / "alone", installed.folder / "processed")


def test_both_together_are_predicted_as_by_nnunet(installed, nnunet, file, alone, stock_masks):
    members = [json.loads(one.read_text())["members"][0] for one in alone]
    steps = [{"keep_largest_component_of": labels} for labels in ([1, 2], [1])]
    content = json.loads(file.read_text()) | {"members": members, "postprocessing": steps}
    (installed.folder / "pair.json").write_text(json.dumps(content))
    output = predict(installed, nnunet, "pair.json", "pair_masks", "--probabilities")
    assert "Predicting with model 2 of 2, folds 0: 2 cases …" in output
    nnunet("nnUNetv2_ensemble", "-i", "one", "two", "-o", "mean", "-np", "1")
    nnunet("python", "-c", RULE)
    post_process(nnunet, "mean", "postprocessing.pkl", "pair_of_nnunet")
    together = installed.folder / "pair_masks"
    assert same_masks(together, installed.folder / "pair_of_nnunet")
    for name, mask in masks_of(together).items():
        values = np.load(together / f"{name[:-4]}.npz")["probabilities"]
        assert values.shape == (3, 1, *mask.shape)
    assert not list(together.glob(".*"))
