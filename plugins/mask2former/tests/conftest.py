"""Runs of the mask2former head on tiny backbones."""

import pytest

SMALL = {"hidden_size": 32, "queries": 6, "feedforward_size": 64}


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def mask2former():
    """`mask2former(**settings)` builds the head on a small ViT through the public entry."""

    def build(backbone="timm:test_vit", classes=3, options=None, **settings):
        import torch

        import nnunet_vit

        torch.manual_seed(0)
        settings = {"use_lora": False, "pretrained": False, **settings}
        return nnunet_vit.create_segmentation_model(
            "mask2former",
            classes,
            backbone_name=backbone,
            options={**SMALL, **(options or {})},
            **settings,
        )

    return build


@pytest.fixture
def mask2former_on():
    """`mask2former_on(backbone, classes, **options)` calls the installed head's own hook."""

    def build(backbone, classes=2, **options):
        from nnunet_vit.testing.building import head_on

        return head_on("mask2former", backbone, {**SMALL, **options}, num_classes=classes)

    return build
