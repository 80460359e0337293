"""Runs of the dino_unet head on tiny backbones."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def dino_unet():
    """`dino_unet(backbone, method, …)` builds the head on a tiny ViT as a run would."""

    def build(backbone="dinov3", method="full", rows=4, columns=6, deep=False, **options):
        from nnunet_vit.testing.building import build
        from nnunet_vit.testing.tiny import Case

        case = Case(backbone, {"hidden_size": 32, **options})
        return build("dino_unet", case, case.pixels(rows, columns), method, deep_supervision=deep)

    return build


@pytest.fixture
def dino_unet_on():
    """`dino_unet_on(backbone, deep, **options)` calls the installed head's own hook."""

    def build(backbone, deep=False, **options):
        from nnunet_vit.testing.building import head_on

        settings = {"hidden_size": 32, **options}
        return head_on("dino_unet", backbone, settings, deep_supervision=deep)

    return build
