"""nnU-Net's targets as segments."""

import pytest
import torch

from nnunet_vit.blocks.mask_classification.targets import segments_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("dtype", [torch.float32, torch.int16, torch.int64])
def test_each_label_that_is_shown_is_a_segment(dtype):
    target = torch.tensor([[[[0, 1, 1], [3, 0, 1]]], [[[2, 2, 2], [2, 2, 2]]]], dtype=dtype)
    segments = segments_of(target, 4, False, None)
    assert segments.masks.shape == (2, 4, 2, 3)
    assert segments.present.tolist() == [[True, True, False, True], [False, False, True, False]]
    assert torch.equal(segments.masks.long().argmax(1, keepdim=True), target.long())
    assert segments.masks.sum(1).eq(1).all()
    assert segments.valid.all()


@pytest.mark.parametrize("ignored", [4, 7, 2])
def test_ignored_pixels_belong_to_none(ignored):
    target = torch.tensor([[[[0, ignored, 1]]], [[[ignored] * 3]]]).float()
    segments = segments_of(target, 4, False, ignored)
    assert segments.valid.tolist() == [[[True, False, True]], [[False] * 3]]
    assert segments.present.tolist() == [[True, True, False, False], [False] * 4]
    assert segments.masks[0, :, 0, 1].tolist() == [False] * 4
    assert segments.annotated.tolist() == [True, False]


@pytest.mark.parametrize("ignored", [None, 3])
def test_padding_is_background(ignored):
    target = torch.tensor([[[[-1, 1, 0]]]]).float()
    segments = segments_of(target, 3, False, ignored)
    assert segments.masks[0, :, 0].tolist() == [
        [True, False, True],
        [False, True, False],
        [False] * 3,
    ]
    assert segments.valid.all()


def test_a_label_that_is_no_class_is_an_error_as_in_nnunets_loss():
    with pytest.raises(RuntimeError, match="index 3 is out of bounds"):
        segments_of(torch.tensor([[[[0, 3]]]]).float(), 3, False, None)


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.uint8])
def test_regions_may_overlap_and_the_last_channel_is_to_ignore(dtype):
    target = torch.tensor([[[[1, 1, 0, 1]], [[1, 0, 0, 1]], [[0, 0, 0, 1]]]]).to(dtype)
    segments = segments_of(target, 2, True, 9)
    assert segments.masks[0, :, 0].tolist() == [[True, True, False, False], [True] + [False] * 3]
    assert segments.valid[0, 0].tolist() == [True, True, True, False]
    assert segments.present.tolist() == [[True, True]]
    every = segments_of(target, 3, True, None)
    assert torch.equal(every.masks, target.bool())
    assert every.valid.all()
