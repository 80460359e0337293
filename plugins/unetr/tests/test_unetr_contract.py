"""The unetr head keeps the contract that every head is checked on."""

import pytest

from nnunet_vit.testing import HeadContract

pytestmark = pytest.mark.unit


class TestUnetr(HeadContract):
    head = "unetr"
