"""The eomt head keeps the contract of heads on each kind of backbone."""

import pytest

from nnunet_vit.testing import HeadContract

pytestmark = pytest.mark.unit


class TestEomt(HeadContract):
    head = "eomt"
    options = ({}, {"mask_stride": 2})
