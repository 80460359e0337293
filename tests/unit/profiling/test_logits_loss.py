"""The run's loss of logits that have no values."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.losses import own_terms
from nnunet_vit.profiling.logits_loss import loss_of_run

pytestmark = pytest.mark.unit

CLASSES = {"labels": {"background": 0, "disc": 1, "vessel": 2}}
REGIONS = {"labels": {"background": 0, "whole": [1, 2], "vessel": 2}, "regions_class_order": [1, 2]}


def loss_of(given, description=CLASSES):
    section = ViTTrainConfig.model_validate({"loss": given}).loss
    return loss_of_run(section, Dataset("Dataset005_Mine", description, None))


@pytest.mark.parametrize(("description", "channels"), [(CLASSES, 3), (REGIONS, 2)])
@pytest.mark.parametrize("name", [*own_terms(), "dice_ce"])
def test_every_term_can_be_measured(name, description, channels):
    loss = loss_of(name, description)
    with FakeTensorMode():
        levels = [torch.randn(2, channels, edge, edge).requires_grad_() for edge in (16, 8)]
        total = loss(levels)
        assert total.shape == ()
        assert torch.autograd.grad(total, levels)[1].shape == (2, channels, 8, 8)


def test_the_target_is_empty():
    logits = torch.full((1, 3, 4, 4), -9.0)
    logits[:, 0] = 9
    assert float(loss_of("cross_entropy")(logits)) == pytest.approx(0, abs=1e-6)
    assert float(loss_of("cross_entropy")(-logits)) == pytest.approx(18.7, abs=0.1)


def test_classes_that_an_assumed_dataset_lacks_are_left_out():
    logits = torch.randn(1, 3, 4, 4)
    of_all, of_none = (
        loss_of({"dice": {"classes": classes}})(logits) for classes in (None, ["lesion"])
    )
    assert of_all == of_none
    assert loss_of({"dice": {"classes": ["disc"]}})(logits) != of_all
