"""The segformer head keeps the contract of heads."""

import pytest

from nnunet_vit.testing import HeadContract

pytestmark = pytest.mark.unit


class TestSegformer(HeadContract):
    head = "segformer"
