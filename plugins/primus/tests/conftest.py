"""Runs of the primus head on tiny backbones."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def primus():
    """`primus(**settings)` builds the head on a small ViT through the package's public entry."""

    def build(backbone="timm:test_vit", classes=3, **settings):
        import torch

        import nnunet_vit

        torch.manual_seed(0)
        settings = {"use_lora": False, "pretrained": False, **settings}
        return nnunet_vit.create_segmentation_model(
            "primus", classes, backbone_name=backbone, **settings
        )

    return build


@pytest.fixture
def primus_on():
    """`primus_on(backbone, classes, deep, **options)` calls the installed head's own hook."""

    def build(backbone, classes=2, deep=False, **options):
        from nnunet_vit.testing.building import head_on

        return head_on("primus", backbone, options, num_classes=classes, deep_supervision=deep)

    return build
