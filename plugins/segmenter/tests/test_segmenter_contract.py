"""The segmenter head keeps the contract that every head is checked on."""

import pytest

from nnunet_vit.testing import HeadContract

pytestmark = pytest.mark.unit


class TestSegmenter(HeadContract):
    head = "segmenter"
    options = (  # the defaults and the paper's
        {"hidden_size": 32},
        {"hidden_size": 32, "upscale": 1, "mask_norm": "classes"},
    )
