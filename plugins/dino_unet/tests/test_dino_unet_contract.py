"""The dino_unet head keeps the contract that every head is checked on, in both its exchanges."""

import pytest

from nnunet_vit.testing import HeadContract

pytestmark = pytest.mark.unit


class TestDinoUNet(HeadContract):
    head = "dino_unet"

    @pytest.mark.slow  # half a minute; that torch takes the network as one graph is tested always
    def test_export(self, case):
        super().test_export(case)


class TestBothWays(HeadContract):
    """On the backbones where the class above has the default alone."""

    head = "dino_unet"
    options = ({"exchange": "both_ways", "hidden_size": 32},)
    backbones = ("siglip", "mae", "eva02")
    test_compile = test_export = None  # slow, and done above
    # as above, whatever the options
    test_imports = test_requirements = test_options = test_lower_bounds = test_between = None
