"""check_network: patch, statistics and weights of the backbone, before anything is written."""

import pytest
from nnunet_folders import Said

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.errors import ConfigError, MachineError, ModelError
from nnunet_vit.training.preflight import check_network

pytestmark = pytest.mark.unit

MODEL = {"head": "linear", "backbone": "timm:test_vit", "pretrained": False}


def checked(model, fresh=True, **sections):
    run = ViTnnUNetConfig.model_validate({"model": {**MODEL, **model}, **sections})
    said = Said()
    return check_network(find_dataset(5), run, fresh, progress=said), said.lines


@pytest.fixture
def weights(tmp_path):
    from safetensors.torch import save_file

    from nnunet_vit.modeling.vit.timm_models import build_timm

    file = tmp_path / "vit.safetensors"
    save_file(build_timm("test_vit", (160, 160), 3).state_dict(), file)
    return str(file)


def test_what_the_weights_brought_is_said_once(write_dataset, weights):
    write_dataset(channel_names={"0": "MRI"})
    _, lines = checked({"pretrained": True, "checkpoint_path": weights})
    assert lines == [
        "Weights: vit.safetensors covers 100 % of the backbone: 78 tensors, 0.30 M parameters; "
        "resized: pos_embed"
    ]


def test_nothing_is_said_of_random_weights_or_of_a_run_that_goes_on(write_dataset, weights):
    write_dataset()
    assert checked({})[1] == []
    model = {"pretrained": True, "checkpoint_path": weights}
    assert checked(model, fresh=False)[1] == []


def test_a_patch_on_request(write_dataset, weights):
    write_dataset(channel_names={"0": "rgb_to_0_1"})
    model = {"pretrained": True, "checkpoint_path": weights, "patch_size": 8}
    facts, _ = checked(model, train={"patch_size": [40, 24]})
    assert facts.patch_size == 8
    with pytest.raises(ConfigError) as caught:
        checked(model, train={"patch_size": [40, 20]})
    assert str(caught.value) == (
        "train.patch_size [40, 20] is not a multiple of the patch of test_vit, 8 pixels. "
        "Fix: train.patch_size: [40, 16]"
    )


def test_a_single_channel_gets_the_statistics_of_red_green_and_blue(write_dataset):
    write_dataset(channel_names={"0": "rgb_to_0_1"})
    facts, _ = checked({"backbone": "timm:vit_small_patch14_dinov2"}, fresh=False)
    assert facts.statistics == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def test_statistics_of_a_familys_size(write_dataset):
    write_dataset(channel_names={str(number): "rgb_to_0_1" for number in range(3)})
    model = {"backbone": "visionfm", "backbone_size": "oct"}
    assert checked(model, fresh=False)[0].statistics == ([0.210919] * 3, [0.175989] * 3)


def test_weights_that_are_fetched_by_hand(write_dataset):
    write_dataset()
    with pytest.raises(ModelError) as caught:
        checked({"backbone": "retfound", "pretrained": True})
    assert str(caught.value).startswith(
        "The weights of retfound are not fetched: RETFound_mae_natureCFP, fetched by hand "
    )


def test_uncertain_statistics_are_said(write_dataset, weights):
    write_dataset(channel_names={"0": "rgb_to_0_1"})
    model = {"pretrained": True, "checkpoint_path": weights}
    (_, notice) = checked(model)[1]
    assert notice == (
        "Input statistics: mean 0.5 0.5 0.5, std 0.5 0.5 0.5, from timm's default tag r160_in1k of "
        "test_vit; the file does not say. If vit.safetensors was trained with others: "
        "model.input_mean and model.input_std."
    )
    assert len(checked({**model, "backbone": "timm:test_vit.r160_in1k"})[1]) == 1


OWN_BACKBONE = """
import torch
from nnunet_vit.hookspecs import hookimpl

class Head(torch.nn.Module):
    def __init__(self, vit):
        super().__init__()
        self.vit = vit
        self.last = torch.nn.Conv2d(1, 3, 1)

    def forward(self, images):
        return self.last(images[:, :1])

@hookimpl
def create_segmentation_model(checkpoint_path, in_channels):
    from nnunet_vit.modeling.backbone import create_backbone
    return Head({vit})
"""
CREATED = "create_backbone('timm:test_vit', None, checkpoint_path, None, in_channels)[0]"
RESNET = "__import__('timm').create_model('test_resnet', num_classes=0)"


def test_a_head_that_reads_the_weights_itself(write_dataset, weights, fake_head):
    write_dataset(channel_names={"0": "MRI"})
    model = {"head": "own", "pretrained": True, "checkpoint_path": weights}
    fake_head("own", OWN_BACKBONE.replace("{vit}", RESNET))
    assert checked(model)[1] == [
        f"Weights: the head is left to read {weights} itself; what of its backbone they cover is "
        "not known (create_backbone would tell)."
    ]
    assert checked({**model, "pretrained": False, "checkpoint_path": ""})[1] == []


def test_or_with_create_backbone(write_dataset, weights, fake_head):
    write_dataset(channel_names={"0": "MRI"})
    fake_head("own", OWN_BACKBONE.replace("{vit}", CREATED))
    model = {"head": "own", "pretrained": True, "checkpoint_path": weights}
    (line,) = checked(model, train={"gradient_checkpointing": True, "layer_decay": 0.9})[1]
    assert line.startswith("Weights: vit.safetensors covers 100 % of the backbone: 78 tensors")


@pytest.mark.parametrize(
    ("train", "start"),
    [
        ({"backbone_lr": 0.1}, "train.backbone_lr: this network has no ViT of timm"),
        ({"layer_decay": 0.9}, "train.layer_decay: this network has no ViT of timm"),
        (
            {"gradient_checkpointing": True},
            "train.gradient_checkpointing: this network has no ViT of timm",
        ),
    ],
)
def test_what_a_network_without_a_vit_cannot_do(write_dataset, fake_head, train, start):
    write_dataset()
    fake_head("own", OWN_BACKBONE.replace("{vit}", RESNET))
    assert checked({"head": "own"})[1] == []
    with pytest.raises(ConfigError) as caught:
        checked({"head": "own"}, train=train)
    assert str(caught.value).startswith(start)


def test_a_full_disk(write_dataset, monkeypatch, nnunet_folders):
    import shutil
    from types import SimpleNamespace

    write_dataset()
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1000))
    with pytest.raises(MachineError) as caught:
        checked({})
    assert str(caught.value).startswith(
        f"{nnunet_folders / 'results'} has 0.0 MB of free disk space; this run needs "
    )
    checked({}, fresh=False)
