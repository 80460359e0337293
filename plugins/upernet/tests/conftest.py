"""Runs of the upernet head on tiny backbones."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def upernet():
    """`upernet(**settings)` builds the head on a small ViT through the package's public entry."""

    def build(backbone="timm:test_vit", classes=3, **settings):
        import torch

        import nnunet_vit

        torch.manual_seed(0)
        settings = {"use_lora": False, "pretrained": False, "decoder_hidden_size": 32, **settings}
        return nnunet_vit.create_segmentation_model(
            "upernet", classes, backbone_name=backbone, **settings
        )

    return build


@pytest.fixture
def upernet_on():
    """`upernet_on(backbone, **options)` calls the installed head's own hook."""

    def build(backbone, deep_supervision=False, **options):
        from nnunet_vit.testing.building import head_on

        settings = {"dropout": 0.0, **options}
        return head_on("upernet", backbone, settings, deep_supervision=deep_supervision)

    return build
