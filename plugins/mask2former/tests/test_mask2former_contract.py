"""The mask2former head keeps the contract of heads on each kind of backbone."""

import pytest

from nnunet_vit.testing import HeadContract

pytestmark = pytest.mark.unit


class TestMask2Former(HeadContract):
    head = "mask2former"

    @pytest.mark.slow  # half a minute; that torch takes the network as one graph is tested always
    def test_export(self, case):
        super().test_export(case)
