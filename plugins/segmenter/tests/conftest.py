"""Runs of the segmenter head on tiny backbones."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def segmenter():
    """`segmenter(**settings)` builds the head on a small ViT through the package's public entry."""

    def build(backbone="timm:test_vit", classes=3, **settings):
        import torch

        import nnunet_vit

        torch.manual_seed(0)
        settings = {"use_lora": False, "pretrained": False, "decoder_hidden_size": 32, **settings}
        return nnunet_vit.create_segmentation_model(
            "segmenter", classes, backbone_name=backbone, **settings
        )

    return build


@pytest.fixture
def segmenter_on():
    """`segmenter_on(backbone, classes, **options)` calls the installed head's own hook."""

    def build(backbone, classes=2, **options):
        from nnunet_vit.testing.building import head_on

        settings = {"dropout": 0.0, **options}
        return head_on("segmenter", backbone, settings, num_classes=classes)

    return build
