"""Prediction: the model folder, its folds and the images, judged before the network is built."""

import json

import pytest

from nnunet_vit.errors import DataError, MachineError, ModelError, UserError
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
    (folder / "plans.json").write_text("{}")
    (folder / "dataset.json").write_text(json.dumps(DESCRIPTION))
    return folder


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a_0000", "a_0001", "b_0000"):
        (folder / f"{name}.nii.gz").touch()
    return folder


def refusal(error, images, model, masks=None, folds=None, checkpoint="checkpoint_final.pth"):
    masks = images.parent / "masks" if masks is None else masks
    with pytest.raises(error) as caught:
        predict_folder(images, masks, model, folds, "cpu", True, checkpoint, None)
    assert isinstance(caught.value, UserError)
    assert not (images.parent / "masks").exists()
    return str(caught.value)


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
        f"{model} has no checkpoint_final.pth of fold {absent}; finished folds: 0, 2, all."
    )


def test_no_fold_is_finished(model, images):
    assert refusal(ModelError, images, model, checkpoint="checkpoint_best.pth") == (
        f"{model} has no checkpoint_best.pth of fold 0 to 4 or all; finished folds: none."
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
