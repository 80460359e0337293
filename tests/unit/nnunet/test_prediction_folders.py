"""Prediction: the model folder, its folds and the images, judged before the network is built."""

import json

import pytest

from nnunet_vit.errors import ConfigError, DataError, MachineError, ModelError, UserError
from nnunet_vit.nnunet.prediction import predict_folder

pytestmark = pytest.mark.unit


DESCRIPTION = {
    "channel_names": {"0": "CT"},
    "labels": {"background": 0, "vessel": 1},
    "numTraining": 5,
    "file_ending": ".nii.gz",
}


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    for fold in ("fold_0", "fold_2", "fold_all"):
        (folder / fold).mkdir(parents=True)
        (folder / fold / "checkpoint_final.pth").touch()
    (folder / "fold_1").mkdir()
    (folder / "plans.json").write_text(json.dumps({"nnunet_vit": {"run": {}}}))
    (folder / "dataset.json").write_text(json.dumps(DESCRIPTION))
    return folder


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a_0000", "a_0001", "b_0000"):
        (folder / f"{name}.nii.gz").touch()
    return folder


def refusal(error, images, model, masks=None, folds=None, checkpoint="final", base=None):
    masks = images.parent / "masks" if masks is None else masks
    with pytest.raises(error) as caught:
        predict_folder(images, masks, model, folds, "cpu", True, checkpoint, base, None)
    assert isinstance(caught.value, UserError)
    assert not (images.parent / "masks").exists()
    return str(caught.value)


TRAIN_FIX = (
    " Fix: finish the training with `vit_cli train … --continue`, or predict with --checkpoint "
    "best (or latest) or other --folds, as in --folds 0 1."
)
FIX = "Fix: give the folder that `vit_cli train` prints last, the one that holds fold_0."


@pytest.mark.parametrize(
    ("gone", "named"),
    [
        (["plans.json"], "plans.json"),
        (["dataset.json"], "dataset.json"),
        (["plans.json", "dataset.json"], "plans.json, dataset.json"),
    ],
)
def test_what_is_no_model_folder(model, images, gone, named):
    for name in gone:
        (model / name).unlink()
    assert refusal(ModelError, images, model) == (
        f"{model} is no model folder: {named} missing. {FIX}"
    )


@pytest.mark.parametrize(
    ("folds", "absent"), [(["1"], "1"), (["0", "3", "4"], "3, 4"), (["ALL"], "ALL")]
)
def test_folds_that_are_not_finished(model, images, folds, absent):
    assert refusal(ModelError, images, model, folds=folds) == (
        f"{model} has no final checkpoint of fold {absent}; folds with one: 0, 2, all." + TRAIN_FIX
    )


@pytest.mark.parametrize("word", ["best", "checkpoint_best.pth"])
def test_no_fold_has_such_a_checkpoint(model, images, word):
    assert refusal(ModelError, images, model, checkpoint=word) == (
        f"{model} has no best checkpoint; folds with one: none." + TRAIN_FIX
    )


def test_a_kind_of_checkpoint_that_nobody_has(model, images):
    assert refusal(ConfigError, images, model, checkpoint="beste.pth") == (
        "--checkpoint beste.pth is unknown. Did you mean 'best'? Allowed: final, best, latest."
    )


def test_a_damaged_description(model, images):
    (model / "plans.json").write_text("{")
    assert refusal(ModelError, images, model).startswith(f"{model} cannot be loaded: Expecting ")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"PK broken"])
def test_a_damaged_model_is_named(model, images, content):
    path = model / "fold_0" / "checkpoint_final.pth"
    path.write_bytes(content)
    (model / "plans.json").write_text(json.dumps({"nnunet_vit": {"run": {}}}))
    assert refusal(ModelError, images, model, folds=["0"]).startswith(f"{path} ")


def test_a_fold_that_was_saved_but_not_finished(model, images):
    import torch

    from nnunet_vit.checkpoints.store import Checkpoint, CheckpointStore

    store = CheckpointStore(model / "fold_3")
    store.save(Checkpoint(3, {"w": torch.zeros(1)}, {}, {}), best=False)
    assert refusal(ModelError, images, model, folds=["3"]).endswith(
        "folds with one: 0, 2, all." + TRAIN_FIX
    )
    store.save(Checkpoint(1000, {"w": torch.zeros(1)}, {}, {}), best=False)
    assert refusal(ModelError, images, model, folds=["4"]).endswith(
        "with one: 0, 2, 3, all." + TRAIN_FIX
    )
    assert refusal(ModelError, images, model, folds=["0"], checkpoint="latest").endswith(
        "folds with one: 3." + TRAIN_FIX
    )


def test_no_folder_of_images(model, tmp_path):
    missing = tmp_path / "missing"
    assert refusal(DataError, missing, model) == f"-i {missing} is not a folder."


def test_no_images_of_that_kind(model, images):
    (model / "dataset.json").write_text(json.dumps(DESCRIPTION | {"file_ending": ".png"}))
    assert refusal(DataError, images, model) == (
        f"-i {images} holds no image *.png. Fix: name them CASE_0000.png."
    )


def test_a_case_without_its_first_channel(model, images):
    (images / "c_0001.nii.gz").touch()
    assert refusal(DataError, images, model) == (
        f"-i {images} lacks the first channel: c_0000.nii.gz."
    )


def test_masks_in_the_folder_of_the_images(model, images):
    assert refusal(MachineError, images, model, masks=images / ".." / "images") == (
        f"-o {images / '..' / 'images'} is the folder of the images. Fix: another folder."
    )
