"""What lies in a model folder that is no fold, no checkpoint, or of another version."""

import shutil
from pathlib import Path

import pytest
import torch

from nnunet_vit.checkpoints.store import Checkpoint
from nnunet_vit.errors import DataError, ModelError
from nnunet_vit.inference.fold_weights import read_fold
from nnunet_vit.inference.model_folder import ModelFolder, build_network
from nnunet_vit.nnunet.plans import KEY
from nnunet_vit.nnunet.plans_file import resolved

pytestmark = pytest.mark.unit

WEIGHTS = {"w": torch.zeros(1)}
ARGUMENTS = {
    "model": {"head": "linear", "backbone": "timm:test_vit", "pretrained": False},
    "lora": {},
    "image_size": [32, 32],
    "input_mean": [0.0],
    "input_std": [1.0],
}


@pytest.fixture
def model(tmp_path):
    """`model(arguments)` is a model folder whose network takes these."""

    def make(arguments):
        architecture = {
            "network_class_name": "x",
            "arch_kwargs": arguments,
            "_kw_requires_import": [],
        }
        configuration = {"patch_size": [32, 32], "architecture": architecture}
        plans = {
            KEY: {"version": "0.1.0", "run": {"model": {"head": "linear"}}},
            "plans_name": "x",
            "configurations": {"2d": configuration},
        }
        description = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "vessel": 1}}
        return ModelFolder(tmp_path, plans, description)

    return make


def finish(model, *names):
    for name in names:
        (model.path / name).mkdir()
        torch.save({"network_weights": WEIGHTS}, model.path / name / "checkpoint_final.pth")


def test_copies_of_a_fold_join_no_ensemble(model):
    trained = model(ARGUMENTS)
    finish(trained, "fold_0", "fold_1", "fold_all", "fold_0 (copy)", "fold_0_old", "fold_01")
    assert trained.folds(None, "final") == [0, 1]
    assert trained.other_folders() == ["fold_0 (copy)", "fold_01", "fold_0_old"]


def test_a_renamed_fold_is_named(model):
    trained = model(ARGUMENTS)
    finish(trained, "fold_00")
    with pytest.raises(ModelError) as caught:
        trained.folds(None, "final")
    assert caught.value.problem.endswith("folds with one: none; fold_00 is no fold.")


@pytest.mark.parametrize(
    ("content", "lacks"),
    [
        ({"state_dict": WEIGHTS}, "network_weights"),
        ({"network_weights": [1]}, "network_weights"),
        ({"network_weights": WEIGHTS, "inference_allowed_mirroring_axes": 5}, "axes 0 and 1"),
        ({"network_weights": WEIGHTS, "inference_allowed_mirroring_axes": [7]}, "axes 0 and 1"),
    ],
)
def test_a_torch_file_that_is_no_checkpoint(model, content, lacks):
    trained = model(ARGUMENTS)
    finish(trained, "fold_0")
    file = trained.path / "fold_0" / "checkpoint_final.pth"
    torch.save(content, file)
    with pytest.raises(ModelError, match=lacks) as caught:
        read_fold(trained, 0, "final", base=None)
    assert str(caught.value).startswith(f"{file} is no checkpoint of nnU-Net's: it lacks ")


@pytest.mark.parametrize("axes", [None, [0, 1], ()])
def test_axes_to_mirror(model, axes):
    trained = model(ARGUMENTS)
    finish(trained, "fold_0")
    content = {"network_weights": WEIGHTS, "inference_allowed_mirroring_axes": axes}
    torch.save(content, trained.path / "fold_0" / "checkpoint_final.pth")
    found = read_fold(trained, 0, "final", base=None).mirroring_axes
    assert found == (None if axes is None else tuple(axes))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (ARGUMENTS | {"of_tomorrow": 1}, "unexpected keyword argument 'of_tomorrow'"),
        ({key: ARGUMENTS[key] for key in ARGUMENTS if key != "model"}, "argument: 'model'"),
        (ARGUMENTS | {"model": "linear"}, "model is no object"),
    ],
)
def test_arguments_of_another_versions_network(model, arguments, reason):
    with pytest.raises(ModelError, match=reason) as caught:
        build_network(model(arguments))
    assert caught.value.fix.startswith("update nnunet-vit where a newer version wrote it")


def test_arguments_that_fit_are_built(model):
    assert build_network(model(ARGUMENTS)).num_classes == 2


CONFIGURATION = {
    "spacing": [1.0, 1.0],
    "patch_size": [32, 32],
    "normalization_schemes": ["CTNormalization", "ZScoreNormalization"],
    "use_mask_for_norm": [False, False],
    "batch_size": 2,
    "data_identifier": "nnUNetPlans_2d",
    "preprocessor_name": "DefaultPreprocessor",
    "architecture": {},
}


@pytest.mark.parametrize(
    ("key", "value", "usual"),
    [
        ("label_manager", "X", "LabelManager"),
        ("preprocessor_name", "X", "DefaultPreprocessor"),
        ("normalization_schemes", ["NoNormalization", "X"], "CTNormalization, "),
        ("resampling_fn_data", "X", "resample_data_or_seg_to_shape"),
        # what its modules import is not its own
        ("label_manager", "np", "LabelManager"),
        ("label_manager", "recursive_find_python_class", "LabelManager"),
        ("preprocessor_name", "save_json", "DefaultPreprocessor"),
        ("resampling_fn_probabilities", "deepcopy", "resample_data_or_seg_to_shape"),
    ],
)
def test_plans_that_name_classes_which_nnunet_has_not(key, value, usual):
    own = {**CONFIGURATION, **({} if key == "label_manager" else {key: value})}
    plans = {"configurations": {"2d": own}} | ({} if key in own else {key: value})
    with pytest.raises(DataError) as caught:
        resolved(Path("plans.json"), plans, "2d")
    named = value if isinstance(value, str) else value[-1]
    assert caught.value.problem.startswith(
        f"plans.json: {key} '{named}' is none of this nnU-Net's; usual: {usual}"
    )


def test_plans_may_name_a_seldom_used_class_of_nnunet():
    rare = {
        "normalization_schemes": ["ImageNormalization", "CTNormalization"],
        "resampling_fn_data": "resample_torch_fornnunet",
    }
    plans = {"configurations": {"2d": {**CONFIGURATION, **rare}}, "label_manager": "LabelManager"}
    assert resolved(Path("plans.json"), plans, "2d")["batch_size"] == 2


def test_an_older_checkpoint_is_not_read_for_the_final_one(model):
    trained = model(ARGUMENTS)
    store = trained.fold("fold_0").store
    for epoch in (1, 2):
        store.save(Checkpoint(epoch, WEIGHTS, {}, {}), best=False)
    shutil.rmtree(store.saves / "epoch_00002")
    with pytest.raises(ModelError, match="epoch_00002, the final checkpoint, is missing or dam"):
        read_fold(trained, 0, "final", base=None)
