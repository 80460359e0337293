"""Which ViTs a network has, and what is known of those that a head builds itself."""

import pytest
import torch

from nnunet_vit.modeling.backbone import ViTBackbone, vits_of
from nnunet_vit.modeling.network import ViTSegmentationNetwork, first_build

pytestmark = pytest.mark.unit

MODEL = {"head": "own", "backbone": "timm:test_vit"}


class Parts(torch.nn.Module):
    def __init__(self, *parts):
        super().__init__()
        self.parts = torch.nn.ModuleList(parts)


def cnn():
    """A network of timm that gives maps and is no ViT."""
    import timm

    with torch.device("meta"):
        return timm.create_model("test_resnet", num_classes=0)


def test_the_vits_of_a_network_are_what_the_backbone_holds(vit):
    backbone, own, detail = ViTBackbone(vit()), vit(), cnn()
    assert callable(detail.forward_intermediates)
    assert vits_of(Parts(detail, own, backbone)) == [backbone.model]
    assert vits_of(Parts(backbone, Parts(backbone))) == [backbone.model]


def test_or_those_that_the_head_has_built_once_each(vit):
    one, other = vit(), vit()
    nested = vit()
    nested.inner = vit()
    assert vits_of(Parts(cnn(), one, Parts(one, other))) == [one, other]
    assert vits_of(nested) == [nested]
    assert vits_of(Parts(cnn(), torch.nn.Linear(2, 2))) == []


def built(model):
    half = [0.5] * 3
    return ViTSegmentationNetwork(3, 2, model, {"enabled": False}, (32, 48), half, half)


OWN_BACKBONE = """
from nnunet_vit.hookspecs import hookimpl

@hookimpl
def create_segmentation_model(backbone_name, backbone_size, checkpoint_path, in_channels):
    from nnunet_vit.modeling.backbone import create_backbone
    from torch import nn
    vit, _, name = create_backbone(backbone_name, backbone_size, checkpoint_path, None, in_channels)
    return nn.ModuleList([vit, {second}])
"""


@pytest.mark.parametrize(
    ("second", "share"),
    [
        ("nn.Identity()", 1.0),
        ("create_backbone('timm:test_vit', None, checkpoint_path)[0]", 1.0),
        ("__import__('timm').create_model('test_vit')", None),
    ],
)
def test_what_the_weights_brought_to_a_head_that_uses_create_backbone(
    fake_head, vit, weights_file, second, share
):
    fake_head("own", OWN_BACKBONE.format(second=second))
    file = weights_file(vit(size=None, seed=9).state_dict())
    model = {**MODEL, "checkpoint_path": str(file)}
    with first_build():
        coverage = built(model).coverage
    assert (coverage and coverage.share) == share
    assert built(model).coverage is None


def test_of_several_files_the_one_that_brings_least(fake_head, vit, weights_file):
    state = vit(size=None, seed=9).state_dict()
    half = {name: value for name, value in state.items() if not name.startswith("blocks.5.")}
    part = weights_file(half, "part.safetensors")
    arguments = f"'timm:test_vit', None, '{part}', expected_coverage=0.5"
    fake_head("own", OWN_BACKBONE.format(second=f"create_backbone({arguments})[0]"))
    with first_build():
        coverage = built({**MODEL, "checkpoint_path": str(weights_file(state))}).coverage
    assert coverage.file == "part.safetensors" and 0.5 < coverage.share < 1
