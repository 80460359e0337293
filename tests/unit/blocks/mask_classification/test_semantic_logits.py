"""Logits of classes from masks with classes."""

import pytest
import torch
from torch.nn import functional

from nnunet_vit.blocks.mask_classification import semantic_logits

pytestmark = pytest.mark.unit

HALF = 65504


def sums_of(class_logits, mask_logits, size):
    masks = functional.interpolate(mask_logits, size, mode="bilinear").sigmoid()
    return (class_logits.softmax(-1)[:, :, :-1, None, None] * masks[:, :, None]).sum(1)


@pytest.mark.parametrize("classes", [1, 2, 6])
@pytest.mark.parametrize("queries", [1, 5, 100])
def test_they_have_the_order_of_the_sums_and_their_half(classes, queries):
    torch.manual_seed(0)
    class_logits, masks = torch.randn(2, queries, classes + 1), 3 * torch.randn(2, queries, 5, 7)
    logits = semantic_logits(class_logits, masks, (10, 21))
    sums = sums_of(class_logits, masks, (10, 21))
    assert logits.shape == (2, classes, 10, 21)
    assert torch.equal(logits.argmax(1), sums.argmax(1))
    clear = (sums - 0.5).abs() > 1e-5
    assert torch.equal((logits > 0)[clear], (sums > 0.5)[clear])
    if queries == 5:
        assert 0 < (logits > 0).float().mean() < 1
        below_one = sums < 0.99
        torch.testing.assert_close(
            logits.sigmoid()[below_one], sums[below_one], rtol=1e-4, atol=1e-4
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_extremes_are_finite_and_far_below_half_precisions_end(dtype):
    extremes = torch.tensor([-1e4, 0, 1e4], dtype=dtype)
    class_logits = torch.cartesian_prod(extremes, extremes, extremes)[None]  # (1, 27, 3)
    for masks in (extremes[None].expand(27, -1), extremes[:, None].repeat(9, 3), -extremes[None]):
        masks = masks.expand(27, 3)[None, :, None]
        logits = semantic_logits(class_logits, masks, (4, 9))
        assert logits.dtype == torch.float32
        assert torch.isfinite(logits).all()
        assert logits.abs().max() < HALF / 10
    none = semantic_logits(torch.full((1, 200, 3), -1e4), torch.full((1, 200, 2, 2), -1e4), (2, 2))
    everything = torch.tensor([[[1e4, -1e4, -1e4]]]).expand(1, 200, 3)
    every = semantic_logits(everything, torch.full((1, 200, 2, 2), 1e4), (2, 2))
    assert none.abs().max() < 20
    assert every[0, 0].min() > 13 and every.abs().max() < 20


def test_masks_are_resized_before_the_sigmoid_and_stay_in_place():
    masks = torch.full((1, 1, 2, 3), -8.0)
    masks[..., 0, 2] = 8
    logits = semantic_logits(torch.tensor([[[9.0, -9, -9]]]), masks, (28, 42))
    positive = (logits[0, 0] > 0).nonzero().float()
    assert positive.mean(0).tolist() == pytest.approx([6.5, 34.5], abs=1.5)
    assert logits[0, 0, 14 - 1, 41].item() == pytest.approx(8 / 14, abs=0.05)


def test_autocast_changes_nothing():
    torch.manual_seed(0)
    class_logits, masks = torch.randn(1, 4, 3), torch.randn(1, 4, 3, 3)
    expected = semantic_logits(class_logits, masks, (6, 6))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(semantic_logits(class_logits, masks, (6, 6)), expected)
