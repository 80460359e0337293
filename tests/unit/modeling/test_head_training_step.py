"""A head that changes with the training hears how far it is."""

import pytest
import torch

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import PluginError
from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.network import ViTSegmentationNetwork

pytestmark = pytest.mark.unit

HEAD = """
from nnunet_vit.hookspecs import hookimpl

@hookimpl
def create_segmentation_model(in_channels, num_classes):
    from torch import nn
    return nn.BatchNorm2d(in_channels)

@hookimpl
def before_training_step(model, progress):
    CHANGE
"""


@pytest.fixture
def run(fake_head):
    def install(change):
        fake_head("annealed", HEAD.replace("CHANGE", change))
        model = {"head": "annealed", "backbone": "timm:test_vit", "pretrained": False}
        return ViTnnUNetConfig.model_validate({"model": model})

    return install


def test_the_heads_module_is_changed(run):
    annealed = run("model.running_mean.fill_(1 - progress)")
    network = ViTSegmentationNetwork(
        3, 3, annealed.model.model_dump(), {"enabled": False}, (32, 32), [0.5] * 3, [0.5] * 3
    )
    Head(annealed).on_training_step(network.model, 0.75)
    assert torch.equal(network.state_dict()["model.running_mean"], torch.full((3,), 0.25))


def test_a_head_without_the_hook_hears_nothing():
    plain = ViTnnUNetConfig.model_validate({"model": {"head": "linear"}})
    assert not Head(plain).has_training_step
    Head(plain).on_training_step(torch.nn.Identity(), 0.5)


def test_a_failing_hook_names_its_package(run):
    annealed = run("return model.no_such_thing")
    with pytest.raises(PluginError, match="before_training_step failed: AttributeError"):
        Head(annealed).on_training_step(torch.nn.Identity(), 0.5)
