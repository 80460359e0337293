"""Runs of the eomt head on tiny backbones."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def eomt():
    """`eomt(**settings)` builds the head on a small ViT through the package's public entry."""

    def build(backbone="timm:test_vit", classes=3, **settings):
        import torch

        import nnunet_vit

        torch.manual_seed(0)
        settings = {"use_lora": False, "pretrained": False, "image_size": (32, 48), **settings}
        return nnunet_vit.create_segmentation_model(
            "eomt", classes, backbone_name=backbone, **settings
        )

    return build


@pytest.fixture
def eomt_on():
    """`eomt_on(vit, classes, **options)` calls the installed head's own hook on a timm ViT."""

    def build(vit, classes=3, **options):
        from nnunet_vit.modeling.backbone import ViTBackbone
        from nnunet_vit.testing.building import head_on

        return head_on("eomt", ViTBackbone(vit), options, num_classes=classes)

    return build
