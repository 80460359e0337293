"""Prediction: the model folder, its folds and the images, validated before the network is built."""

import json

import numpy as np
import pytest
import SimpleITK

from nnunet_vit import __version__
from nnunet_vit.errors import ConfigError, DataError, MachineError, ModelError, UserError
from nnunet_vit.inference.inputs import sound_inputs
from nnunet_vit.inference.model_folder import open_model
from nnunet_vit.inference.predict import predict_folder
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

DESCRIPTION = {
    "channel_names": {"0": "CT"},
    "labels": {"background": 0, "vessel": 1},
    "numTraining": 5,
    "file_ending": ".nii.gz",
}
PLANS = {
    "plans_name": "mine",
    "dataset_name": "Dataset001_Mine",
    "transpose_backward": [0, 1, 2],
    "foreground_intensity_properties_per_channel": {},
    "nnunet_vit": {"version": "0.1.0", "run": {}},
    "image_reader_writer": "SimpleITKIO",
    "transpose_forward": [0, 1, 2],
    "original_median_spacing_after_transp": [999.0, 1.0, 1.0],
    "configurations": {
        "2d": {
            "spacing": [1.0, 1.0],
            "patch_size": [32, 32],
            "normalization_schemes": ["CTNormalization"],
            "use_mask_for_norm": [False],
            "batch_size": 2,
            "data_identifier": "nnUNetPlans_2d",
            "preprocessor_name": "DefaultPreprocessor",
            "architecture": {},
        }
    },
}


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    for fold in ("fold_0", "fold_2", "fold_all"):
        (folder / fold).mkdir(parents=True)
        (folder / fold / "checkpoint_final.pth").touch()
    (folder / "fold_1").mkdir()
    (folder / "plans.json").write_text(json.dumps(PLANS))
    (folder / "dataset.json").write_text(json.dumps(DESCRIPTION))
    return folder


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a_0000", "b_0000"):
        write_image(folder / f"{name}.nii.gz", np.zeros((6, 8), np.float32))
    return folder


def write_image(file, values, spacing=1.0):
    image = SimpleITK.GetImageFromArray(values, isVector=False)
    image.SetSpacing((spacing,) * image.GetDimension())
    SimpleITK.WriteImage(image, str(file))


def refusal(error, images, model, masks=None, folds=None, checkpoint="final", base=None):
    masks = images.parent / "masks" if masks is None else masks
    with pytest.raises(error) as caught:
        plain = {"options": PredictionOptions("cpu"), "progress": Progress()}
        predict_folder(images, masks, model, folds=folds, checkpoint=checkpoint, base=base, **plain)
    assert isinstance(caught.value, UserError)
    assert not (images.parent / "masks").exists()
    return str(caught.value)


TRAIN_FIX = (
    " Fix: finish the training with `vit_cli train … --continue`, or ask for --checkpoint "
    "best (or latest) or for other --folds, as in --folds 0 1."
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
        " Fix: leave it out for final, or name another one of these."
    )


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("plans.json", "{", "cannot be read as JSON: Expecting "),
        ("plans.json", "", "is empty. Fix: copy the model folder again."),
        ("plans.json", "[]", "holds a list, not nnU-Net's plans. Fix: copy the model folder"),
        ("dataset.json", "{", "cannot be read as JSON: Expecting "),
        ("dataset.json", "", "cannot be read as JSON: Expecting "),
        ("dataset.json", "[]", "lacks channel_names, labels, file_ending. Fix: copy "),
    ],
)
def test_a_damaged_description(model, images, name, content, problem):
    (model / name).write_text(content)
    assert refusal(ModelError, images, model).startswith(f"{model / name} {problem}")


@pytest.mark.parametrize("labels", [{"background": 0, "x": "one"}, {"background": 0}, 3])
def test_labels_that_are_none(model, images, labels):
    (model / "dataset.json").write_text(json.dumps(DESCRIPTION | {"labels": labels}))
    assert refusal(ModelError, images, model).startswith(f"{model / 'dataset.json'}")


@pytest.mark.parametrize("spacing", [None, [], ["a", "b", "c"], [1.0]])
def test_plans_that_do_not_know_the_spacing_of_the_training_images(model, images, spacing):
    plans = PLANS | {"original_median_spacing_after_transp": spacing}
    (model / "plans.json").write_text(json.dumps(plans))
    assert list(sound_inputs(images, open_model(model), Progress()).cases) == ["a", "b"]


def test_plans_of_a_newer_version(model, images):
    newer = PLANS | {"nnunet_vit": {"version": "99.1", "run": {"hologram": {"depth": 3}}}}
    (model / "plans.json").write_text(json.dumps(newer))
    assert refusal(ModelError, images, model) == (
        f"{model / 'plans.json'} was written by nnunet-vit 99.1, this is {__version__}. "
        "Fix: update: pip install 'nnunet-vit>=99.1'"
    )


@pytest.mark.parametrize("run", [{"hologram": 3}, [], None, {"train": {"num_epochs": "many"}}])
def test_a_run_that_is_none(model, images, run):
    (model / "plans.json").write_text(json.dumps(PLANS | {"nnunet_vit": {"run": run}}))
    assert refusal(ModelError, images, model).startswith(
        f"{model / 'plans.json'} is damaged: its run cannot be read ("
    )


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({"3d": {}}, " lacks its configuration '2d'."),
        ({"2d": 3}, ": configurations 2d are no objects."),
        ({"2d": {"spacing": ["x"]}}, ": configuration '2d': data_identifier is missing; "),
    ],
)
def test_plans_without_what_the_run_trained(model, images, own, problem):
    (model / "plans.json").write_text(json.dumps(PLANS | {"configurations": own}))
    text = refusal(ModelError, images, model)
    assert text.startswith(f"{model / 'plans.json'}{problem}")
    assert text.endswith("Fix: copy the model folder again.")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html>", b"PK broken"])
def test_a_damaged_model_is_named(model, images, content):
    path = model / "fold_0" / "checkpoint_final.pth"
    path.write_bytes(content)
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
    assert refusal(DataError, missing, model) == (
        f"-i {missing} is not there. Fix: -i with the folder of images, a list (.txt), a table "
        "(.csv), or images."
    )


def test_no_images_of_that_kind(model, images):
    (model / "dataset.json").write_text(json.dumps(DESCRIPTION | {"file_ending": ".tif"}))
    (model / "plans.json").write_text(json.dumps(PLANS | {"image_reader_writer": "Tiff3DIO"}))
    assert refusal(DataError, images, model) == (
        f"{images} holds no image *.tif; it holds 2 files *.nii.gz. Fix: convert them to "
        ".tif, named CASE_0000.tif; renaming alone does not do it: the model was trained on .tif."
    )


def test_names_without_a_channel_number(model, images):
    (images / "b_0000.nii.gz").rename(images / "b.nii.gz")
    assert "rename b.nii.gz to b_0000.nii.gz" in refusal(DataError, images, model)


def test_every_bad_image_of_a_folder_is_named_and_the_others_are_left(model, images):
    (images / "c_0000.nii.gz").write_bytes(b"")
    whole = (images / "a_0000.nii.gz").read_bytes()
    (images / "d_0000.nii.gz").write_bytes(whole[: len(whole) // 2])
    write_image(images / "e_0000.nii.gz", np.zeros((6, 8), np.float32), spacing=1000.0)
    write_image(images / "f_0000.nii.gz", np.zeros((64, 64), np.float32), spacing=0.001)
    for channel in (0, 1):
        write_image(images / f"g_000{channel}.nii.gz", np.zeros((6, 8), np.float32))
    write_image(images / "h_0000.nii.gz", np.zeros((2, 3, 6, 8), np.float32))
    words = ["is empty", "is damaged", "has spacing 1000", "has spacing 0.001", "is one file too",
             "has 2 channels; the model takes 1 (CT)"]  # fmt: skip
    inputs = sound_inputs(images, open_model(model), Progress())
    assert (list(inputs.cases), list(inputs.faulty)) == (["a", "b"], list("cdefgh"))
    for sound in inputs.cases:
        (images / f"{sound}_0000.nii.gz").unlink()
    lines = refusal(DataError, images, model).splitlines()  # not one is left
    assert lines[0] == f"-i {images}: 6 problems"
    for case, line, problem in zip("cdefgh", lines[1:], words, strict=True):
        start = f"{images}/{case}_000{int(case == 'g')}.nii.gz {problem}"
        assert line.startswith(f"  {start}") and str(inputs.faults[case]).startswith(start)


def test_files_of_other_programs_and_other_endings_are_left_out(model, images):
    for name in ("._a_0000.nii.gz", ".DS_Store", "Thumbs.db", "notes.txt", "c_0000.jpg"):
        (images / name).write_bytes(b"x")
    (images / "deeper_0000.nii.gz").mkdir()
    known = {"original_median_spacing_after_transp": [999.0, 0.9, 1.1]}
    (model / "plans.json").write_text(json.dumps(PLANS | known))
    said, progress = [], Progress()
    progress.log = said.append
    inputs = sound_inputs(images, open_model(model), progress)
    assert list(inputs.cases) == ["a", "b"]
    assert inputs.memory == {"a": 6 * 8 * (4 + 2 * 2), "b": 6 * 8 * (4 + 2 * 2)}
    (line,) = said
    assert line.startswith(f"Left out of {images}: c_0000.jpg: no format that this model takes")


def test_channels_may_count_from_1(model, images):
    for case in "ab":
        (images / f"{case}_0000.nii.gz").rename(images / f"{case}_0001.nii.gz")
    assert list(sound_inputs(images, open_model(model), Progress()).cases) == ["a", "b"]


def test_a_volume_is_predicted_slice_by_slice(model, images):
    write_image(images / "c_0000.nii.gz", np.zeros((4, 6, 8), np.float32))
    inputs = sound_inputs(images, open_model(model), Progress())
    assert inputs.memory["c"] == 4 * inputs.memory["a"]


@pytest.mark.parametrize("place", ["images", "model"])
def test_masks_among_what_they_are_made_from(model, images, place):
    masks = images / ".." / place
    told = f"-o {masks} is the folder of the {place}. Fix: another folder."
    assert refusal(MachineError, images, model, masks=masks) == told


def test_masks_that_cannot_be_written(model, images):
    taken = images / "a_0000.nii.gz"
    text = refusal(MachineError, images, model, masks=taken / "masks")
    assert text.startswith(f"-o {taken / 'masks'} cannot be written: {taken} is a file. Fix: ")
