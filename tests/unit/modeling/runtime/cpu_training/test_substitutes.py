"""What stands for torch's functions in a training step gives the same values and gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.modeling.runtime.cpu_training import bfloat16_attention
from nnunet_vit.modeling.runtime.cpu_training.channels_last import is_channels_last
from nnunet_vit.modeling.runtime.cpu_training.substitutes import SUBSTITUTES, quick_steps
from nnunet_vit.modeling.runtime.microbatches import checkpoint_blocks, forward_in_microbatches

pytestmark = pytest.mark.unit
CPU = torch.device("cpu")


def values_and_gradients(function, *tensors, inside):
    """Run a function of tensors and backward, with substitutes or without."""
    own = [each.detach().clone().requires_grad_() for each in tensors]
    with quick_steps(CPU if inside else torch.device("cuda")):
        output = function(*own)
        torch.manual_seed(3)
        output.backward(torch.randn(output.shape).to(output.dtype))
    return [output.detach(), *(each.grad for each in own)]


def errors(function, *tensors):
    """Return the relative errors against float32: of torch's own way, and of the substitute's."""
    exact = values_and_gradients(function, *(each.float() for each in tensors), inside=False)
    return [
        [
            float((found.float() - true).norm() / true.norm())
            for found, true in zip(
                values_and_gradients(function, *tensors, inside=inside), exact, strict=True
            )
        ]
        for inside in (False, True)
    ]


@pytest.mark.parametrize("shape", [(2, 3, 65, 16), (1, 2, 7, 8), (5, 1, 33, 64)])
def test_attention_in_bfloat16_is_as_exact_as_torchs(shape):
    torch.manual_seed(0)
    tensors = [torch.randn(shape).bfloat16() for _ in range(3)]
    usual, quick = errors(functional.scaled_dot_product_attention, *tensors)
    assert quick == pytest.approx(usual, abs=2e-3)
    assert max(quick) < 0.01


def test_attention_goes_through_large_batches_in_parts(monkeypatch):
    torch.manual_seed(0)
    tensors = [torch.randn(5, 2, 9, 8).bfloat16() for _ in range(3)]
    attention = functional.scaled_dot_product_attention
    whole = values_and_gradients(attention, *tensors, inside=True)
    monkeypatch.setattr(bfloat16_attention, "PAIRS", 2 * 2 * 9 * 9)
    parts = values_and_gradients(attention, *tensors, inside=True)
    for one, other in zip(whole, parts, strict=True):
        assert torch.allclose(one.float(), other.float(), atol=1e-2)


@pytest.mark.parametrize(
    "more",
    [
        {"attn_mask": torch.eye(6).bool()},
        {"is_causal": True},
        {"scale": 0.3},
    ],
    ids=["mask", "causal", "scale"],
)
def test_attention_that_is_not_plain_is_torchs_own(more):
    torch.manual_seed(0)
    tensors = [torch.randn(2, 3, 6, 8).bfloat16() for _ in range(3)]

    def attention(*three):
        return functional.scaled_dot_product_attention(*three, **more)

    plain = values_and_gradients(attention, *tensors, inside=False)
    quick = values_and_gradients(attention, *tensors, inside=True)
    assert all(map(torch.equal, plain, quick))


def test_attention_in_float32_is_torchs_own():
    tensors = [torch.randn(2, 3, 6, 8) for _ in range(3)]
    attention = functional.scaled_dot_product_attention
    plain = values_and_gradients(attention, *tensors, inside=False)
    quick = values_and_gradients(attention, *tensors, inside=True)
    assert all(map(torch.equal, plain, quick))


@pytest.mark.parametrize("groups", [1, 4, 8])
@pytest.mark.parametrize("mean", [0.0, 5.0])
def test_group_normalization_is_as_exact_as_torchs(groups, mean):
    torch.manual_seed(0)
    maps = (mean + torch.randn(3, 16, 9, 7)).bfloat16()
    weight, bias = torch.rand(16) + 0.5, torch.randn(16)

    def normalized(maps, weight, bias):
        maps = maps.contiguous(memory_format=torch.channels_last)
        return functional.group_norm(maps, groups, weight, bias)

    exact = values_and_gradients(normalized, maps.float(), weight, bias, inside=False)
    usual = values_and_gradients(normalized, maps, weight, bias, inside=False)
    quick = values_and_gradients(normalized, maps, weight, bias, inside=True)
    for true, own, other in zip(exact, usual, quick, strict=True):
        limit = 2 * (own.float() - true).norm() + 0.004 * true.norm()
        assert (other.float() - true).norm() <= limit


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layer", [nn.Conv2d(8, 6, 3, padding=1), nn.ConvTranspose2d(8, 6, 2, 2)])
def test_convolutions_put_channels_innermost(layer, dtype):
    torch.manual_seed(0)
    images = torch.randn(2, 8, 12, 10)

    def convolved(images):
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            return layer(images)

    plain = values_and_gradients(convolved, images, inside=False)
    quick = values_and_gradients(convolved, images, inside=True)
    assert quick[0].is_contiguous(memory_format=torch.channels_last)
    for one, other in zip(plain, quick, strict=True):
        assert torch.allclose(one, other, rtol=1e-2, atol=1e-5 if dtype == torch.float32 else 0.05)


@pytest.mark.parametrize("parts", [1, 2])
def test_what_checkpointing_computes_again_is_computed_in_the_same_way(parts):
    """Of a whole network in bfloat16, whose attention and norms have substitutes."""
    run = {"head": "unetr", "backbone": "timm:test_vit", "pretrained": False}
    run |= {"precision": "bfloat16"}
    torch.manual_seed(0)
    network = ViTSegmentationNetwork(
        3, 2, run, {"enabled": False}, (32, 32), [0.5] * 3, [0.5] * 3
    ).train()
    images = torch.randn(4, 3, 32, 32)

    def gradients(parts):
        network.zero_grad()
        with quick_steps(CPU):
            torch.autograd.backward(forward_in_microbatches(network, images, parts).square().mean())
        return torch.cat([each.grad.flatten() for each in network.parameters()])

    plain = gradients(1)
    checkpoint_blocks(network)
    again = gradients(parts)
    assert torch.equal(plain, again) or parts > 1
    assert (plain - again).norm() < 0.02 * plain.norm()


@pytest.mark.parametrize(("device", "compiled"), [("cuda", False), ("cpu", True)])
def test_elsewhere_nothing_changes(device, compiled):
    usual = functional.conv2d
    with quick_steps(torch.device(device), compiled=compiled):
        assert functional.conv2d is usual


def test_afterwards_the_functions_are_torchs_own_even_after_an_error():
    usual = [getattr(functional, name) for name in SUBSTITUTES]
    with pytest.raises(KeyError), quick_steps(CPU):
        assert functional.conv2d is not usual[2]
        raise KeyError
    assert [getattr(functional, name) for name in SUBSTITUTES] == usual


@pytest.mark.parametrize("size", [(12, 16), (9, 7), (3, 4)])
def test_interpolation_before_a_concatenation(size):
    torch.manual_seed(0)
    laid_out = []

    def joined(images, other):
        maps = functional.interpolate(images, size=size, mode="bilinear")
        maps.register_hook(lambda gradient: laid_out.append(is_channels_last(gradient)))
        return torch.cat([maps, other], dim=1)

    images = torch.randn(2, 8, 6, 8).contiguous(memory_format=torch.channels_last)
    other = torch.randn(2, 4, *size).contiguous(memory_format=torch.channels_last)
    usual, quick = (
        values_and_gradients(joined, images, other, inside=inside) for inside in (False, True)
    )
    assert laid_out == [False, True]
    assert torch.equal(usual[0], quick[0])
    for one, theirs in zip(quick[1:], usual[1:], strict=True):
        assert torch.allclose(one, theirs, atol=1e-6)
