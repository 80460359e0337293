"""Less memory, the same gradients: checkpointed blocks and batches in parts."""

import pytest
import torch
from nnunetv2.training.loss.compound_losses import DC_and_CE_loss
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss
from torch import nn

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.microbatches import checkpoint_blocks, forward_in_microbatches

pytestmark = pytest.mark.unit

ADAPTERS = {"enabled": True, "r": 2, "lora_alpha": 4, "lora_dropout": 0.5}


def network(backbone="timm:test_vit", head="segformer", adapters=False):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return ViTSegmentationNetwork(
        3,
        2,
        {"head": head, "backbone": backbone, "pretrained": False},
        ADAPTERS if adapters else {"enabled": False},
        (32, 64),
        [0.5] * 3,
        [0.5] * 3,
        deep_supervision=True,
    ).train()


def loss_over_the_batch(outputs, target):
    # nnU-Net's: its Dice is taken over the batch as a whole, so it is no mean over images
    loss = DC_and_CE_loss(
        {"batch_dice": True, "smooth": 1e-5, "do_bg": False, "ddp": False},
        {},
        dice_class=MemoryEfficientSoftDiceLoss,
    )
    levels = outputs if isinstance(outputs, list) else [outputs]
    return sum(
        loss(level, nn.functional.interpolate(target, size=level.shape[2:])) / (number + 1)
        for number, level in enumerate(levels)
    )


def gradients(model, parts=1):
    torch.manual_seed(1)
    images = torch.randn(4, 3, 32, 64)
    target = torch.randint(0, 2, (4, 1, 32, 64)).float()
    model.zero_grad()
    torch.manual_seed(2)
    loss_over_the_batch(forward_in_microbatches(model, images, parts), target).backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def without_dropout(model):
    # dropout draws per forward pass: parts of a batch have other draws than the whole
    for part in model.modules():
        if isinstance(part, nn.Dropout | nn.Dropout2d):
            part.p = 0.0
    return model


def assert_same(one, other):
    assert one.keys() == other.keys() and len(one) > 10
    largest = max(gradient.abs().max() for gradient in one.values())
    for name, gradient in one.items():
        torch.testing.assert_close(other[name], gradient, rtol=1e-3, atol=1e-5 * largest)


def frozen_statistics(model):
    # batch norm sees a part of the batch where the others see it whole
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eval()
    return model


@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("adapters", [False, True])
@pytest.mark.parametrize("head", ["segformer", "linear"])
def test_parts_give_the_gradient_of_the_whole_batch(parts, adapters, head):
    model = frozen_statistics(without_dropout(network(head=head, adapters=adapters)))
    assert_same(gradients(model), gradients(model, parts))


def test_an_uneven_batch_too():
    model = frozen_statistics(without_dropout(network()))
    assert_same(gradients(model), gradients(model, 3))


def test_adding_up_small_batches_would_be_another_loss():
    model = frozen_statistics(without_dropout(network(head="linear")))
    whole = gradients(model)
    torch.manual_seed(1)
    images = torch.randn(4, 3, 32, 64)
    target = torch.randint(0, 2, (4, 1, 32, 64)).float()
    model.zero_grad()
    for image, truth in zip(images.split(1), target.split(1), strict=True):
        (loss_over_the_batch(model(image), truth) / 4).backward()
    added = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    with pytest.raises(AssertionError):
        assert_same(whole, added)


@pytest.mark.parametrize("adapters", [False, True])
@pytest.mark.parametrize("backbone", ["timm:test_vit", "timm:vit_tiny_patch16_224"])
def test_checkpointed_blocks_give_the_same_gradients(backbone, adapters):
    model = network(backbone, adapters=adapters)  # dropout and all: backward repeats its draws
    plain = gradients(model)
    checkpoint_blocks(model)
    assert_same(plain, gradients(model))


def test_both_together():
    model = frozen_statistics(without_dropout(network(adapters=True)))
    plain = gradients(model)
    checkpoint_blocks(model)
    assert_same(plain, gradients(model, 2))


def saved_bytes(model, parts=1):
    seen = {}

    def keep(tensor):
        seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    torch.manual_seed(1)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        forward_in_microbatches(model, torch.randn(4, 3, 32, 64), parts)
    return sum(seen.values())


def test_both_keep_less():
    model = network()
    plain = saved_bytes(model)
    assert saved_bytes(model, 4) < 0.7 * plain
    checkpoint_blocks(model)
    assert saved_bytes(model) < plain


def test_a_network_that_cannot_checkpoint_is_refused():
    with pytest.raises(ConfigError) as caught:
        checkpoint_blocks(nn.Linear(2, 2))
    assert str(caught.value) == (
        "train.gradient_checkpointing: this network has no ViT of timm, whose blocks could do it. "
        "Fix: train.gradient_checkpointing: false, or train.gradient_accumulation."
    )


def test_other_parts_of_a_head_are_left_alone():
    import timm

    model = network()
    with torch.device("meta"):
        model.detail = timm.create_model("test_resnet", num_classes=0)
    checkpoint_blocks(model)
    assert not model.detail.grad_checkpointing
    assert [p.grad_checkpointing for p in model.modules() if hasattr(p, "grad_checkpointing")] == [
        True,
        False,
    ]
