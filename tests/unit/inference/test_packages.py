"""A trained model says which packages it needs, and what to install where one lacks."""

import json

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ModelError
from nnunet_vit.inference.model_folder import ModelFolder, build_network
from nnunet_vit.nnunet.plans import KEY, packages_of

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

    def make(head, **others):
        run = {"model": {"head": "membranegate"}}
        own = {"version": "0.1.0", "run": run, "head": head, **others}
        plans = {KEY: own, "plans_name": "x"}
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
    package = {"distribution": "membrane-tools", "version": "2.1"}
    assert packages_of(run) == {"head": package}
    module = ViTnnUNetConfig.model_validate({"model": {"model_path": "my.module"}})
    assert packages_of(module) == {}


def test_the_packages_of_backbone_and_method_are_known(fake_head):
    fake_head("norms", HEAD, "x-tuning", "0.3", group="nnunet_vit.tuning")
    fake_head("echo", HEAD, "x-ultrasound", "1.4", group="nnunet_vit.backbones")
    model = {"model_path": "my.module", "backbone": "echo", "tuning": "norms"}
    assert packages_of(ViTnnUNetConfig.model_validate({"model": model})) == {
        "backbone": {"distribution": "x-ultrasound", "version": "1.4"},
        "tuning": {"distribution": "x-tuning", "version": "0.3"},
    }


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


def test_a_model_names_every_package_that_lacks(model):
    head = {"distribution": "membrane-tools", "version": "2.1"}
    text = refusal(model(head, tuning={"distribution": "x-tuning", "version": "0.3"}))
    assert text.endswith(
        "Fix: pip install membrane-tools==2.1, the package of its head. "
        "pip install x-tuning==0.3, the package of its tuning method."
    )
