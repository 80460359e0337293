"""The mask2former head keeps the contract of heads on each kind of backbone."""

import pytest

from nnunet_vit.testing import HeadContract

pytestmark = pytest.mark.unit


class TestMask2Former(HeadContract):
    head = "mask2former"
