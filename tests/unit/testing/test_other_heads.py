"""Heads that go other ways: their own loss, their own backbone, other parts of the ViT."""

import pytest

from nnunet_vit.testing.rules import RULES

pytestmark = pytest.mark.unit

PER_CASE = [name for name, rule in RULES.items() if rule.per_case]
OWN_LOSS = """
@hookimpl
def create_loss(num_classes, options, default_loss):
    return lambda outputs, target: default_loss(outputs["logits"], target) + outputs["extra"].sum()
"""
RETURN = "            return [finest, logits] if deep_supervision else finest"
TRAINING = (
    "            if self.training:\n                return {'logits': logits, 'extra': logits}\n"
)
WHOLE_WAY = """
from nnunet_vit.hookspecs import hookimpl

@hookimpl
def create_segmentation_model(backbone_name, num_classes, in_channels, image_size, freeze_backbone):
    from torch import nn
    from torch.nn import functional
    from nnunet_vit.modeling.backbone import create_backbone, get_vit_features

    vit, patch, _ = create_backbone(backbone_name, None, None, image_size, in_channels)
    vit.requires_grad_(not freeze_backbone)

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.vit = vit
            self.classifier = nn.Conv2d(vit.embed_dim, num_classes, 1)

        def forward(self, images):
            logits = self.classifier(get_vit_features(self.vit, images, [-1])[0])
            logits = functional.interpolate(logits, size=images.shape[-2:], mode="bilinear")
            return LOGITS

    return Own()
"""


@pytest.fixture
def whole_way(fake_head):
    return lambda given="logits": fake_head("faulty", WHOLE_WAY.replace("LOGITS", given))


@pytest.mark.parametrize("rule", PER_CASE)
def test_a_head_with_its_own_loss(faulty, checked, rule):
    faulty(("@hookimpl\ndef head_options", f"{OWN_LOSS}\n@hookimpl\ndef head_options"),
           (RETURN, TRAINING + RETURN))  # fmt: skip
    note = checked(rule)
    if rule == "deep_supervision":
        assert note == "the head's own loss takes its outputs in training"


@pytest.mark.parametrize("rule", [rule for rule in PER_CASE if rule != "gradients"])
def test_a_head_that_builds_its_own_backbone(whole_way, checked, rule):
    whole_way()
    checked(rule, backbone="siglip")


def test_the_whole_way_without_lora(whole_way, checked):
    whole_way()
    with pytest.raises(AssertionError) as caught:
        checked("gradients")
    assert str(caught.value) == (
        "tuning lora: the network has no adapter. Fix: keep the backbone that the hook is given, "
        "or follow use_lora."
    )


def test_the_place_of_a_head_that_builds_its_own_backbone(whole_way, checked):
    whole_way("logits.flip(3)")
    with pytest.raises(AssertionError, match="A change of the features in patch"):
        checked("alignment", backbone="mae")


def test_tokens_read_past_feature_maps(faulty, checked):
    faulty(
        (
            "backbone.feature_maps(images, [-1])[0]",
            "backbone.model.forward_intermediates(images, [0], intermediates_only=True)[0]",
        )
    )
    checked("alignment")
    checked("alignment", backbone="mae")


def test_tokens_read_past_feature_maps_and_turned(faulty, checked):
    faulty(
        (
            "backbone.feature_maps(images, [-1])[0]",
            "backbone.model.forward_intermediates(images, [0], intermediates_only=True)[0].flip(3)",
        )
    )
    with pytest.raises(AssertionError, match="A change of the features in patch"):
        checked("alignment")
