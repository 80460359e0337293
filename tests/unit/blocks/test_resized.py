"""Features at another size, in two and three dimensions."""

import pytest
import torch

from nnunet_vit.blocks.resolution import resized

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("size", [(6,), (6, 8), (4, 6, 8)])
def test_halved_each_place_is_the_mean_of_its_own(size):
    features = torch.arange(2 * 3 * torch.Size(size).numel(), dtype=torch.float32)
    features = features.reshape(2, 3, *size)
    half = tuple(edge // 2 for edge in size)
    expected = features
    for axis in range(2, features.ndim):
        expected = expected.unfold(axis, 2, 2).mean(-1)
    torch.testing.assert_close(resized(features, half), expected)
    assert resized(features, size) is features
