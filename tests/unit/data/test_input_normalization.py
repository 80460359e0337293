"""Whose mean and std a run takes, and what is said of it."""

import json

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.input_normalization import input_statistics

pytestmark = pytest.mark.unit

MAE = "timm:vit_large_patch16_224"
HALF, IMAGENET = (0.5, 0.5, 0.5), (0.485, 0.456, 0.406)
ONES = [1.0, 1.0, 1.0]
UNIT = ("rgb_to_0_1",) * 3


def found(model, channels=UNIT):
    from nnunet_vit.backbones import timm_name
    from nnunet_vit.modeling.vit.timm_models import inspect_timm

    names = {str(number): name for number, name in enumerate(channels)}
    run = ViTnnUNetConfig.model_validate({"model": model})
    facts = inspect_timm(timm_name(run.model.backbone, run.model.size_name))
    return input_statistics(Dataset("Dataset001_Any", {"channel_names": names}, None), run, facts)


def test_a_file_for_a_name_without_a_tag():
    statistics = found({"backbone": MAE, "checkpoint_path": "weights/RETFound.pth"})
    assert statistics.per_channel == (list(HALF), list(HALF))
    assert statistics.origin == (
        "timm's default tag augreg_in21k_ft_in1k of vit_large_patch16_224; the file does not say"
    )
    assert statistics.notice == (
        "Input statistics: mean 0.5 0.5 0.5, std 0.5 0.5 0.5, from timm's default tag "
        "augreg_in21k_ft_in1k of vit_large_patch16_224; the file does not say. If RETFound.pth was "
        "trained with others: model.input_mean and model.input_std, or a name with its tag, like "
        "timm:vit_large_patch16_224.mae."
    )


def test_no_tag_is_named_that_has_the_same_numbers():
    statistics = found({"backbone": "timm:test_vit", "checkpoint_path": "vit.pth"})
    assert statistics.notice.endswith(
        "If vit.pth was trained with others: model.input_mean and model.input_std."
    )


def test_a_model_that_timm_has_no_weights_of():
    model = {"backbone": "timm:vit_base_patch16_18x2_224", "checkpoint_path": "vit.pth"}
    assert found(model).origin == (
        "timm's defaults of vit_base_patch16_18x2_224; the file does not say"
    )


@pytest.mark.parametrize(
    ("model", "mean", "origin"),
    [
        (
            {"backbone": f"{MAE}.mae", "checkpoint_path": "mae.pth"},
            IMAGENET,
            "the weights vit_large_patch16_224.mae",
        ),
        ({"backbone": MAE}, HALF, "the weights vit_large_patch16_224"),
        (
            {"backbone": "retfound", "checkpoint_path": "mae.pth"},
            IMAGENET,
            "the family's, vit_large_patch16_224.mae",
        ),
        (
            {"backbone": MAE, "checkpoint_path": "x.pth", "input_mean": ONES, "input_std": ONES},
            ONES,
            "model.input_mean and input_std",
        ),
    ],
)
def test_nothing_is_said_where_nothing_is_uncertain(model, mean, origin):
    statistics = found(model)
    assert statistics.per_channel[0] == list(mean)
    assert (statistics.origin, statistics.notice) == (origin, "")


def test_nor_where_no_channel_needs_them():
    model = {"backbone": MAE, "checkpoint_path": "mae.pth"}
    statistics = found(model, ("CT", "MRI"))
    assert statistics.per_channel == ([0.0, 0.0], [1.0, 1.0])
    assert (statistics.origin, statistics.notice) == ("nnU-Net's own normalization", "")
    assert found(model, ("CT", "rgb_to_0_1")).notice


@pytest.mark.parametrize("backbone", ["dinov2", MAE, f"{MAE}.mae"])
def test_a_snapshot_knows_best(tmp_path, backbone):
    said = {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6]}
    file = tmp_path / "preprocessor_config.json"
    file.write_text(json.dumps(said))
    model = {"backbone": backbone, "checkpoint_path": str(tmp_path)}
    statistics = found(model)
    assert statistics.per_channel == ([0.1, 0.2, 0.3], [0.4, 0.5, 0.6])
    assert statistics.origin == str(file)
    assert statistics.notice == (
        f"Input statistics: mean 0.1 0.2 0.3, std 0.4 0.5 0.6, from {file}."
    )
    assert found({**model, "input_mean": [0.0] * 3, "input_std": [1.0] * 3}).notice == ""
