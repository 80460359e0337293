"""How small a checkpoint of adapters is beside its whole network."""

import pytest
import torch

from nnunet_vit.checkpoints.base import left_out, stored_tensors
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.modeling.backbone import pretrained_weights
from nnunet_vit.modeling.factory import build_model

pytestmark = pytest.mark.contract

LARGEST_SHARE = 0.05
ALL_LAYERS = ["qkv", "proj", "fc1", "fc2"]


@pytest.fixture
def on_paper():
    """`on_paper(backbone, lora)` is a ViT-L with a segformer head: shapes without memory."""

    def build(backbone, **sections):
        run = ViTnnUNetConfig.model_validate(
            {"model": {"head": "segformer", "backbone": backbone, "backbone_size": "large"}}
            | sections
        )
        with torch.device("meta"), pretrained_weights(wanted=False):
            return build_model(run, 3, 3, image_size=(224, 224), deep_supervision=True)

    return build


def bytes_of(tensors):
    return sum(tensor.nbytes for tensor in tensors.values())


@pytest.mark.parametrize("backbone", ["dinov3", "dinov2"])
@pytest.mark.parametrize("targets", [["qkv"], ALL_LAYERS], ids=["qkv", "all layers"])
def test_adapters_and_head_of_a_vit_l_are_under_a_twentieth(on_paper, backbone, targets):
    network = on_paper(backbone, lora={"enabled": True, "r": 8, "target_modules": targets})
    stored, whole = bytes_of(stored_tensors(network)), bytes_of(network.state_dict())
    assert whole > 1.2e9
    assert 0.005 < stored / whole < LARGEST_SHARE
    trained = {name for name, tensor in network.named_parameters() if tensor.requires_grad}
    assert trained <= set(stored_tensors(network))


def test_a_frozen_backbone_costs_its_head(on_paper):
    network = on_paper("dinov3", model={
        "head": "segformer", "backbone": "dinov3", "backbone_size": "large",
        "freeze_backbone": True,
    })  # fmt: skip
    assert bytes_of(stored_tensors(network)) / bytes_of(network.state_dict()) < LARGEST_SHARE


def test_full_tuning_stores_everything(on_paper):
    network = on_paper("dinov3")
    assert left_out(network) == set()
    assert set(stored_tensors(network)) == set(network.state_dict())
