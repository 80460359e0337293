"""What the newer keys of a run tell a head: by a backbone that is built, or by plain arguments."""

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.backbone import pretrained_weights
from nnunet_vit.modeling.factory import build_backbone, build_model

pytestmark = pytest.mark.unit

RECORDER = """
from torch import nn
from nnunet_vit.hookspecs import hookimpl

@hookimpl
def create_segmentation_model({arguments}):
    received = dict(locals())
    model = nn.Identity()
    model.received = received
    return model
"""
MODEL = {"head": "recorder", "backbone": "dinov2", "backbone_size": "small"}


def received(run):
    with pretrained_weights(wanted=False):
        return build_model(ViTnnUNetConfig.model_validate(run), 5, 2, image_size=(28, 56)).received


@pytest.mark.parametrize(
    ("tuning", "lora", "told"),
    [
        ("frozen", {"enabled": False}, (True, False)),
        ("full", {"enabled": False}, (False, False)),
        ("lora", {"enabled": False}, (False, True)),
        (None, {"enabled": True}, (False, True)),
        (None, {"enabled": False}, (False, False)),
    ],
)
def test_the_method_in_plain_arguments(fake_head, tuning, lora, told):
    fake_head("recorder", RECORDER.format(arguments="freeze_backbone, use_lora"))
    model = {**MODEL, "tuning": tuning}
    given = received({"model": model, "lora": lora})
    assert (given["freeze_backbone"], given["use_lora"]) == told


@pytest.mark.parametrize(
    ("backbone", "layers"),
    [
        ("dinov2", ["qkv"]),
        ("timm:test_vit", ["qkv"]),
        ("timm:eva02_base_patch14_224", ["q_proj", "k_proj", "v_proj"]),
    ],
)
def test_the_layers_of_adapters_by_default(fake_head, backbone, layers):
    fake_head("recorder", RECORDER.format(arguments="lora_target_modules"))
    model = {**MODEL, "backbone": backbone, "backbone_size": None}
    assert received({"model": model, "lora": {}}) == {"lora_target_modules": layers}


def test_no_layers_where_no_adapters_are_wanted(fake_head):
    fake_head("recorder", RECORDER.format(arguments="lora_target_modules"))
    model = {**MODEL, "backbone": "timm:test_vit", "backbone_size": None}
    given = received({"model": model, "lora": {"enabled": False}})
    assert given == {"lora_target_modules": []}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vit_patch_size", 16),
        ("expected_coverage", 0.9),
        ("checkpoint_key", "teacher"),
        ("tuning", "last_blocks"),
    ],
)
def test_a_head_that_builds_its_own_backbone_and_keys_that_it_never_hears_of(fake_head, key, value):
    fake_head("recorder", RECORDER.format(arguments="backbone_name"))
    with pytest.raises(ConfigError) as caught:
        received({"model": {**MODEL, key: value}})
    assert str(caught.value) == (
        f"model.{key}: Plugin 'recorder' (x-head 1.0) builds its backbone itself and does not know "
        f"this key. Fix: leave out model.{key}, or choose a head that takes the argument "
        "`backbone`."
    )


def test_the_runs_key_reaches_the_backbone(vit, weights_file):
    raw, average = (vit("test_vit", (32, 32), seed=seed).state_dict() for seed in (1, 2))
    file = weights_file({"state_dict": raw, "state_dict_ema": average}, "run.pth")
    model = {"backbone": "timm:test_vit", "checkpoint_path": str(file)}
    for key, tensors in ((None, average), ("state_dict", raw)):
        run = ViTnnUNetConfig.model_validate({"model": {**model, "checkpoint_key": key}})
        own = build_backbone(run, 3, (32, 32)).model.state_dict()
        assert all(own[name].equal(value) for name, value in tensors.items())


def test_the_runs_patch_and_coverage_reach_the_backbone(fake_head, vit, weights_file):
    weights = vit("vit_tiny_patch16_224", (224, 224)).state_dict()
    half = {key: value for key, value in weights.items() if not key.startswith("blocks.7.")}
    model = {
        "backbone": "timm:vit_tiny_patch16_224",
        "checkpoint_path": str(weights_file(half)),
        "patch_size": 8,
        "expected_coverage": 0.5,
    }
    run = ViTnnUNetConfig.model_validate({"model": model})
    backbone = build_backbone(run, 3, (32, 24))
    assert backbone.patch_size == 8
    assert 0.5 < backbone.coverage.share < 1
