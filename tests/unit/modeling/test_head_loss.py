"""A head that brings its own loss: what it returns in training reaches it, whole or in parts."""

import pytest
import torch

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import PluginError
from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.microbatches import forward_in_microbatches
from nnunet_vit.modeling.runtime.outputs import as_float32, joined

pytestmark = pytest.mark.unit

HEAD = """
from nnunet_vit.hookspecs import hookimpl

@hookimpl
def create_segmentation_model(in_channels, num_classes):
    from torch import nn

    class Queries(nn.Module):
        def __init__(self):
            super().__init__()
            self.masks = nn.Conv2d(in_channels, num_classes, 1)

        def forward(self, images):
            masks = self.masks(images)
            if not self.training:
                return masks
            return {"masks": [masks, (masks.half(),)], "sizes": masks.flatten(1).sum(1).long()}

    return Queries()

@hookimpl
def create_loss(num_classes, has_regions, ignore_label, default_loss):
    LOSS
"""
DEFAULT = object()


@pytest.fixture
def run(fake_head):
    def install(loss="return lambda outputs, target: (num_classes, has_regions, ignore_label)"):
        fake_head("queries", HEAD.replace("LOSS", loss))
        model = {"head": "queries", "backbone": "timm:test_vit", "pretrained": False}
        return ViTnnUNetConfig.model_validate({"model": model})

    return install


def network_of(run):
    torch.manual_seed(0)
    return ViTSegmentationNetwork(
        3, 2, run.model.model_dump(), {"enabled": False}, (32, 32), [0.5] * 3, [0.5] * 3
    )


def test_a_head_without_the_hook_is_trained_with_nnunets():
    run = ViTnnUNetConfig.model_validate({"model": {"head": "linear"}})
    assert not Head(run).has_loss
    assert Head(run).loss(2, False, None, default_loss=DEFAULT) is DEFAULT


def test_the_hook_is_told_what_it_asks_for(run):
    loss = Head(run()).loss(4, True, 5, default_loss=DEFAULT)
    assert loss({}, None) == (4, True, 5)
    assert Head(run()).has_loss


def test_it_may_hand_the_default_on(run):
    assert Head(run("return default_loss")).loss(2, False, None, default_loss=max) is max


@pytest.mark.parametrize("loss", ["return 5", "pass"])
def test_what_is_no_loss_is_refused(run, loss):
    with pytest.raises(PluginError) as caught:
        Head(run(loss)).loss(2, False, None, default_loss=DEFAULT)
    assert "create_loss returned " in str(caught.value)
    assert str(caught.value).endswith("needed: something to be called with (outputs, target).")


def test_training_outputs_pass_through_and_eval_gives_logits(run):
    network, images = network_of(run()), torch.randn(2, 3, 32, 32)
    outputs = network.train()(images)
    assert outputs["masks"][1][0].dtype == torch.float32
    assert outputs["sizes"].dtype == torch.int64
    assert network.eval()(images).shape == (2, 2, 32, 32)


def test_parts_of_a_batch_are_joined_wherever_tensors_are(run):
    network, images = network_of(run()).train(), torch.randn(4, 3, 32, 32)
    whole, parts = network(images), forward_in_microbatches(network, images, 2)
    torch.testing.assert_close(parts["masks"][0], whole["masks"][0])
    torch.testing.assert_close(parts["masks"][1][0], whole["masks"][1][0])
    assert torch.equal(parts["sizes"], whole["sizes"])


@pytest.mark.parametrize("outputs", ["text", {"a": 5}, [None]])
def test_outputs_that_hold_something_else(outputs):
    with pytest.raises(PluginError) as caught:
        as_float32(outputs)
    assert "allowed: tensors in lists, tuples and dictionaries." in str(caught.value)
    with pytest.raises(PluginError):
        joined([outputs, outputs])
