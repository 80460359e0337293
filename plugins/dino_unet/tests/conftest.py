"""The dino_unet head on the contract's small backbones, as a run builds it."""

import pytest


@pytest.fixture
def tiny():
    """`tiny(patches, backbone, method, **options)`; patches are rows and columns of an image."""

    def build(patches=(4, 6), backbone="dinov3", method="full", deep_supervision=False, **options):
        from nnunet_vit.testing.building import build
        from nnunet_vit.testing.small_vits import Case

        case = Case(backbone, {"hidden_size": 32, **options})
        size = case.pixels(*patches)
        return build("dino_unet", case, size, method, deep_supervision=deep_supervision)

    return build
