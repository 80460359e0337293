"""A trained model says which package brings its head, and what to install where that lacks."""

import json

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ModelError
from nnunet_vit.inference.model_folder import ModelFolder, build_network
from nnunet_vit.nnunet.plans import KEY, head_package

pytestmark = pytest.mark.unit

HEAD = (
    "from nnunet_vit.hookspecs import hookimpl\n@hookimpl\ndef create_segmentation_model(): ...\n"
)
CONFIGURATION = {
    "patch_size": [32, 32],
    "architecture": {
        "network_class_name": "x",
        "arch_kwargs": {
            "model": {"head": "membranegate", "backbone": "timm:test_vit"},
            "lora": {},
            "image_size": [32, 32],
            "input_mean": [0.0],
            "input_std": [1.0],
        },
        "_kw_requires_import": [],
    },
}


@pytest.fixture
def model(tmp_path):
    """`model(head)` is a model folder whose head nobody has installed."""

    def make(head):
        run = {"model": {"head": "membranegate"}}
        plans = {KEY: {"version": "0.1.0", "run": run, "head": head}, "plans_name": "x"}
        plans["configurations"] = {"2d": CONFIGURATION}
        description = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "vessel": 1}}
        return ModelFolder(tmp_path, plans, description)

    return make


def refusal(model):
    with pytest.raises(ModelError) as caught:
        build_network(model)
    return str(caught.value)


def test_the_package_of_the_head_is_known(fake_head):
    fake_head("membranegate", HEAD, "membrane-tools", "2.1")
    run = ViTnnUNetConfig.model_validate({"model": {"head": "membranegate"}})
    assert head_package(run) == {"distribution": "membrane-tools", "version": "2.1"}
    module = ViTnnUNetConfig.model_validate({"model": {"model_path": "my.module"}})
    assert head_package(module) == {}


def test_a_model_names_the_package_that_lacks(model):
    text = refusal(model({"distribution": "membrane-tools", "version": "2.1"}))
    assert "cannot be rebuilt: Unknown head 'membranegate'." in text
    assert text.endswith("Fix: pip install membrane-tools==2.1, the package of its head.")


def test_a_model_names_the_version_that_it_was_trained_with(model, fake_head):
    fake_head("other", HEAD, "membrane-tools", "3.0")
    text = refusal(model({"distribution": "membrane-tools", "version": "2.1"}))
    assert text.endswith("Fix: pip install membrane-tools==2.1: 3.0 is installed.")


def test_an_older_model_tells_it_by_its_checkpoint(model, tmp_path):
    state = tmp_path / "fold_0" / "ckpt" / "epoch_00001" / "state.json"
    state.parent.mkdir(parents=True)
    versions = {"python": "3.11", "torch": "2.14", "membrane-tools": "2.0"}
    state.write_text(json.dumps({"state": {"versions": versions}}))
    text = refusal(model(None))
    assert text.endswith("Fix: pip install membrane-tools==2.0, the package of its head.")


@pytest.mark.parametrize("head", [None, {}, "x", {"distribution": "x"}])
def test_a_model_that_does_not_tell_gets_no_guess(model, head):
    assert "pip install" not in refusal(model(head))
