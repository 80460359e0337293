"""Runs of the unetr head on tiny backbones."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def unetr():
    """`unetr(**settings)` builds the head on a small ViT through the package's public entry."""

    def build(backbone="timm:test_vit", classes=3, **settings):
        import torch

        import nnunet_vit

        torch.manual_seed(0)
        settings = {"use_lora": False, "pretrained": False, "decoder_hidden_size": 32, **settings}
        return nnunet_vit.create_segmentation_model(
            "unetr", classes, backbone_name=backbone, **settings
        )

    return build


@pytest.fixture
def unetr_on():
    """`unetr_on(backbone, channels, deep, **options)` calls the installed head's own hook."""

    def build(backbone, channels=3, deep=False, **options):
        from nnunet_vit.testing.building import head_on

        return head_on("unetr", backbone, options, in_channels=channels, deep_supervision=deep)

    return build
