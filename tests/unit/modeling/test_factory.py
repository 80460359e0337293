"""Building a head: what a hook is handed, what it may return, and the Python entry."""

import inspect
import sys

import pytest
import torch
from torch import nn

import nnunet_vit
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError, ModelError, PluginError
from nnunet_vit.modeling.backbone import ViTBackbone, pretrained_weights
from nnunet_vit.modeling.factory import (
    build_model,
    create_segmentation_model,
)
from nnunet_vit.modeling.head import Head
from nnunet_vit.registry import catalogue

pytestmark = pytest.mark.unit

WHOLE_WAY = (
    "backbone_name, backbone_size, num_classes, decoder_hidden_size, checkpoint_path, "
    "freeze_backbone, use_lora, lora_rank, lora_alpha, lora_dropout, lora_target_modules"
)
DEFAULTS = (
    "*, backbone_name='dinov3', backbone_size='large', num_classes=2, decoder_hidden_size=256, "
    "checkpoint_path=None, freeze_backbone=False, use_lora=True, lora_rank=8, lora_alpha=16, "
    "lora_dropout=0.05, lora_target_modules=('qkv',)"
)
OFFERED_TOO = "in_channels, image_size, deep_supervision, options"
RECORDER = """
from torch import nn
from pydantic import Field
from nnunet_vit.hookspecs import HeadOptions, hookimpl

class Options(HeadOptions):
    hidden_size: int = Field(64, ge=1, description="channels")
    extra: str = Field("x", description="its own")

@hookimpl
def head_options(): return Options

@hookimpl
def create_segmentation_model({arguments}):
    model = nn.Identity()
    model.received = dict(locals())
    return model
"""
RUN = {
    "model": {
        "head": "recorder",
        "backbone": "dinov2",
        "backbone_size": "small",
        "pretrained": False,
        "freeze_backbone": True,
        "decoder": {"hidden_size": 32},
    },
    "lora": {"r": 3, "lora_alpha": 5.0, "lora_dropout": 0.25, "target_modules": ["proj", "fc1"]},
}
EXPECTED = {
    "backbone_name": "dinov2",
    "backbone_size": "small",
    "num_classes": 5,
    "decoder_hidden_size": 32,
    "checkpoint_path": "",
    "freeze_backbone": True,
    "use_lora": True,
    "lora_rank": 3,
    "lora_alpha": 5.0,
    "lora_dropout": 0.25,
    "lora_target_modules": ["proj", "fc1"],
}


def build(run, classes=5, channels=2, size=(28, 56), deep=False):
    with pretrained_weights(wanted=False):
        validated = ViTnnUNetConfig.model_validate(run)
        return build_model(validated, classes, channels, image_size=size, deep_supervision=deep)


def received(model):
    return {name: value for name, value in model.received.items() if name != "model"}


@pytest.mark.parametrize("arguments", [WHOLE_WAY, DEFAULTS], ids=["required", "defaults"])
def test_the_whole_way_gets_exactly_the_runs_values(fake_head, arguments):
    fake_head("recorder", RECORDER.format(arguments=arguments))
    assert received(build(RUN)) == EXPECTED


def test_what_is_offered_besides(fake_head):
    module = fake_head("recorder", RECORDER.format(arguments=OFFERED_TOO))
    given = received(build(RUN, deep=True))
    options = given.pop("options")
    assert given == {"in_channels": 2, "image_size": (28, 56), "deep_supervision": True}
    assert type(options) is sys.modules[module].Options
    assert options.model_dump() == {"hidden_size": 32, "extra": "x"}


def test_the_easy_way_gets_a_backbone_that_is_built_and_tuned(fake_head):
    fake_head("recorder", RECORDER.format(arguments="backbone, num_classes, options"))
    model = build({**RUN, "model": {**RUN["model"], "backbone": "timm:test_vit"}}, size=(32, 48))
    backbone = model.received["backbone"]
    assert isinstance(backbone, ViTBackbone)
    assert (backbone.embed_dim, backbone.depth, backbone.patch_size) == (64, 6, 16)
    trained = [name for name, value in backbone.named_parameters() if value.requires_grad]
    assert trained and all(".lora_" in name for name in trained)
    assert backbone.feature_maps(torch.zeros(1, 2, 32, 48), [0])[0].shape == (1, 64, 2, 3)


def test_a_whole_way_head_costs_no_backbone(fake_head, monkeypatch):
    from nnunet_vit.modeling import factory

    def refuse(*arguments):
        raise AssertionError("a backbone was built")

    fake_head("recorder", RECORDER.format(arguments="num_classes"))
    monkeypatch.setattr(factory, "load_backbone", refuse)
    assert received(build(RUN)) == {"num_classes": 5}


def test_the_size_that_is_not_given_is_the_familys_default(fake_head):
    fake_head("recorder", RECORDER.format(arguments="backbone_size"))
    model = {**RUN["model"], "backbone_size": None}
    assert received(build({**RUN, "model": model})) == {"backbone_size": "large"}
    model = {**model, "backbone": "timm:test_vit"}
    assert received(build({**RUN, "model": model})) == {"backbone_size": None}


def test_deep_supervision_is_for_heads_that_name_it(fake_head):
    run = ViTnnUNetConfig.model_validate(RUN)
    module = fake_head("recorder", RECORDER.format(arguments="num_classes, deep_supervision=False"))
    assert Head(run).deep_supervision
    sys.modules.pop(module)
    fake_head("recorder", RECORDER.format(arguments="num_classes"), "other")
    for name in ("linear", "segformer"):
        run.model.head = name
        assert not Head(run).deep_supervision


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("return None", "returned NoneType, not a torch.nn.Module."),
        ("return nn.Identity", "returned type, not a torch.nn.Module."),
        ("return [nn.Identity()]", "returned list, not a torch.nn.Module."),
        (
            "raise ValueError('no such width.\\nand more')",
            "failed: ValueError: no such width. and more. "
            "Fix: install what it misses, fix it, upgrade it or uninstall it.",
        ),
        (
            "import surely_not_there",
            "failed: ModuleNotFoundError: No module named 'surely_not_there'. "
            "Fix: install what it misses, fix it, upgrade it or uninstall it.",
        ),
    ],
)
def test_a_hook_that_gives_no_module(fake_head, body, text):
    source = RECORDER.format(arguments="num_classes").replace("model = nn.Identity()", body)
    fake_head("recorder", source)
    with pytest.raises(PluginError) as caught:
        build(RUN)
    assert str(caught.value) == f"Plugin 'recorder' (x-head 1.0): create_segmentation_model {text}"


def test_a_users_error_inside_the_hook_stays_what_it_is(fake_head):
    body = "from nnunet_vit.errors import ConfigError; raise ConfigError('choose another')"
    source = RECORDER.format(arguments="num_classes").replace("model = nn.Identity()", body)
    fake_head("recorder", source)
    with pytest.raises(ConfigError) as caught:
        build(RUN)
    assert str(caught.value) == "choose another"


@pytest.mark.parametrize("backbone", ["dinov9", "dinov2"])
def test_a_whole_way_head_gets_known_backbones_only(fake_head, backbone):
    fake_head("recorder", RECORDER.format(arguments="backbone_name"))
    with pytest.raises(ConfigError):
        build({**RUN, "model": {**RUN["model"], "backbone": backbone, "backbone_size": "huge"}})


def entry(head, **more):
    return nnunet_vit.create_segmentation_model(
        **{"head": head, "num_classes": 3, "backbone_name": "timm:test_vit", **more}
    )


@pytest.mark.parametrize("head", ["linear", "segformer"])
@pytest.mark.parametrize("size", [None, (32, 48)])
def test_the_python_entry_builds_every_head_of_this_repository(head, size):
    model = entry(head, pretrained=False, use_lora=True, in_channels=2, image_size=size)
    assert model(torch.randn(1, 2, 32, 48)).shape == (1, 3, 32, 48)
    adapters = {n for n, value in model.backbone.named_parameters() if value.requires_grad}
    assert len(adapters) == 12 and all(".lora_" in name for name in adapters)


def test_the_python_entry_passes_everything_on(fake_head):
    fake_head("recorder", RECORDER.format(arguments=f"{WHOLE_WAY}, {OFFERED_TOO}"))
    given = {**EXPECTED, "checkpoint_path": "weights.pth", "use_lora": False}
    others = {"in_channels": 4, "image_size": (28, 28), "deep_supervision": True}
    model = create_segmentation_model("recorder", **given, **others, options={"extra": "y"})
    result = received(model)
    assert result.pop("options").model_dump() == {"hidden_size": 32, "extra": "y"}
    assert result == {**given, **others}


def test_the_python_entry_without_lora_or_with_frozen_weights():
    full = entry("linear", pretrained=False)
    assert all(value.requires_grad for value in full.parameters())
    frozen = entry("linear", pretrained=False, use_lora=False, freeze_backbone=True)
    assert not any(value.requires_grad for value in frozen.backbone.parameters())
    assert frozen.classifier.weight.requires_grad


def test_the_python_entry_shows_its_arguments_and_has_the_run_files_defaults():
    parameters = inspect.signature(nnunet_vit.create_segmentation_model).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    run = ViTnnUNetConfig()
    assert {
        "use_lora": run.lora.enabled,
        "lora_rank": run.lora.r,
        "lora_alpha": run.lora.lora_alpha,
        "lora_dropout": run.lora.lora_dropout,
        "lora_target_modules": run.lora.target_modules,
        "backbone_name": run.model.backbone,
        "backbone_size": run.model.backbone_size,
        "freeze_backbone": run.model.freeze_backbone,
        "pretrained": run.model.pretrained,
    }.items() <= defaults.items()
    assert {"head", "num_classes", "options", "image_size"} <= set(parameters)


def test_the_python_entry_wants_weights_by_default(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError):
        entry("linear")


def test_the_python_entry_with_an_unknown_head():
    with pytest.raises(ConfigError) as caught:
        entry("segfomer", pretrained=False)
    assert str(caught.value) == (
        "Unknown head 'segfomer'. Did you mean 'segformer'? "
        f"Installed: {', '.join(catalogue.installed(catalogue.HEADS))}. "
        "Fix: choose an installed head (`vit_cli list-models` shows them)."
    )


def test_the_python_entry_with_a_size_that_timm_would_floor():
    with pytest.raises(ConfigError) as caught:
        entry("linear", pretrained=False, image_size=(30, 32))
    assert str(caught.value) == (
        "image_size [30, 32] is not a multiple of the patch of test_vit, 16 pixels. "
        "Fix: image_size: [32, 32]"
    )


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"lora_rank": 0}, ", lora.r: given 0; allowed: an integer from 1 to 1024"),
        (
            {"lora_dropout": 2.0},
            ", lora.lora_dropout: given 2.0; allowed: a number of at least 0 and less than 1",
        ),
        ({"backbone_name": 5}, ", model.backbone: given 5; allowed: a string"),
        (
            {"lora_rank": 0, "backbone_name": 5},
            ": 2 problems\n"
            "  model.backbone: given 5; allowed: a string\n"
            "  lora.r: given 0; allowed: an integer from 1 to 1024",
        ),
    ],
)
def test_the_python_entry_raises_errors_for_users_only(more, text):
    with pytest.raises(ConfigError) as caught:
        entry("linear", **{"pretrained": False, **more})
    assert str(caught.value) == f"create_segmentation_model{text}"


def test_a_module_named_by_model_path_is_built_like_a_head(tmp_path, monkeypatch):
    (tmp_path / "factory_model.py").write_text(
        "from torch import nn\n"
        "def create_segmentation_model(num_classes=2, decoder_hidden_size=1, lora_rank=8):\n"
        "    model = nn.Identity()\n    model.received = dict(locals())\n    return model\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    model = {**RUN["model"], "head": None, "model_path": "factory_model"}
    assert received(build({**RUN, "model": model})) == {
        "num_classes": 5,
        "decoder_hidden_size": 32,
        "lora_rank": 3,
    }
    assert isinstance(build({**RUN, "model": model}), nn.Module)
    del sys.modules["factory_model"]
