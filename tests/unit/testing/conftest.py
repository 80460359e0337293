"""Heads with one fault each, and the contract on them."""

import pytest

SOURCE = """
from typing import Literal
from pydantic import Field
from nnunet_vit.hookspecs import HeadOptions, hookimpl

class Options(HeadOptions):
    width: int = Field(16, ge=4, le=64, description="channels")
    gated: bool = Field(False, description="whether a gate is used")

@hookimpl
def head_options():
    return Options

@hookimpl
def create_segmentation_model(backbone, num_classes, options, deep_supervision):
    import torch
    from torch import nn
    from torch.nn import functional

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = backbone
            self.enter = nn.Conv2d(backbone.embed_dim, options.width, 3, padding=1)
            self.classifier = nn.Conv2d(options.width, num_classes, 1)

        def forward(self, images):
            features = backbone.feature_maps(images, [-1])[0]
            logits = self.classifier(self.enter(features).relu())
            finest = functional.interpolate(logits, size=images.shape[-2:], mode="bilinear")
            return [finest, logits] if deep_supervision else finest

    return Decoder()
"""


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def faulty(fake_head):
    """`faulty((old, new), …)` installs the head `faulty` with its source changed so."""

    def install(*changes, requires=()):
        source = SOURCE
        for old, new in changes:
            assert old in source
            source = source.replace(old, new)
        fake_head("faulty", source, requires=requires)

    return install


@pytest.fixture
def checked():
    """`checked("shapes")` checks the rule on a small DINOv2, or raises."""
    from nnunet_vit.testing import HeadContract
    from nnunet_vit.testing.rules import RULES
    from nnunet_vit.testing.small_vits import Case

    class Faulty(HeadContract):
        head = "faulty"

    def check(rule, backbone="dinov2", **options):
        case = Case(backbone, options) if RULES[rule].per_case else None
        return Faulty().check(RULES[rule], case)

    return check
