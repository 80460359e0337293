"""Images that a ViT cuts into whole patches, in any number of axes."""

import pytest

from nnunet_vit.config.patch_multiples import (
    is_multiple,
    multiples_around,
    nearest_multiple,
    next_multiple,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("size", "patch", "after", "nearest", "around"),
    [
        ((512, 256), 16, (512, 256), (512, 256), "[512, 256]"),
        ((40, 56), 16, (48, 64), (32, 64), "[32, 48] or [48, 64]"),
        ((3, 64), 14, (14, 70), (14, 70), "[14, 56] or [14, 70]"),
        ((20, 100, 100), 8, (24, 104, 104), (16, 96, 96), "[16, 96, 96] or [24, 104, 104]"),
    ],
)
def test_sizes(size, patch, after, nearest, around):
    assert next_multiple(size, patch) == after
    assert nearest_multiple(size, patch) == nearest
    assert multiples_around(size, patch) == around
    assert is_multiple(after, patch)
    assert is_multiple(size, patch) is (size == after)
