"""Runs of the linear head on tiny backbones."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def linear():
    """`linear(**settings)` builds the head on a small ViT through the package's public entry."""

    def build(backbone="timm:test_vit", classes=3, **settings):
        import torch

        import nnunet_vit

        torch.manual_seed(0)
        settings = {"use_lora": False, "pretrained": False, **settings}
        return nnunet_vit.create_segmentation_model(
            "linear", classes, backbone_name=backbone, **settings
        )

    return build
