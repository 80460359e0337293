"""A ViT behind any prefix is found by what stands before its first layer."""

import pytest
import torch

from nnunet_vit.modeling.weights import load_backbone_weights

pytestmark = pytest.mark.unit

VIT, SIZE = "vit_base_patch16_224", (64, 64)
PREFIXES = (
    "net. model.net. pretrained. pretrained.model. image_encoder. visual_encoder. visual. "
    "module.base_encoder. vit_mae.vit. backbone.dinov3. backbone._model_wrapper._model. "
    "base_model.model. base_model.model.model. sam.image_encoder. online_encoder. "
    "feature_extractor. 0. encoder.0. _orig_mod.net. model.encoder. teacher. "
    "student_teacher.backbone. network.backbone.model. img_encoder.transformer. my_net. "
    "blocks_of_mine. backbone.bottom_up.net. lightning_module.model.vit. x.y.z."
).split()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_any_prefix_is_found(source, blank, weights_file, assert_same_features, prefix):
    trained, model = source(VIT, SIZE), blank(VIT, SIZE)
    tensors = {prefix + name: value for name, value in trained.state_dict().items()}
    tensors |= {"decoder.weight": torch.zeros(2), prefix + "head.weight": torch.zeros(2, 48)}
    content = {"state_dict": tensors, "epoch": 1}
    coverage = load_backbone_weights(model, weights_file(content, "weights.pth"))
    assert (coverage.share, coverage.skipped) == (1, ("head.weight", "state_dict.decoder.weight"))
    assert_same_features(model, trained, *SIZE)


WRAPPERS = ["_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_orig_mod", "base_layer"]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_in_the_middle_of_names(
    source, blank, weights_file, assert_same_features, wrapper
):
    trained, model = source(VIT, SIZE), blank(VIT, SIZE)
    tensors = {}
    for name, value in trained.state_dict().items():
        parts = name.split(".")
        tensors[".".join(("net", *parts[:-1], wrapper, parts[-1]))] = value
    assert load_backbone_weights(model, weights_file(tensors)).share == 1
    assert_same_features(model, trained, *SIZE)


def test_mappings_in_mappings_are_names(source, blank, weights_file, assert_same_features):
    """As Flax-like codes save: one mapping for each module."""
    trained, model = source(VIT, SIZE), blank(VIT, SIZE)
    content = {}
    for name, value in trained.state_dict().items():
        *parts, last = name.split(".")
        inner = content
        for part in parts:
            inner = inner.setdefault(part, {})
        inner[last] = value
    file = weights_file({"params": {"encoder": content}}, "nested.pth")
    assert load_backbone_weights(model, file).share == 1
    assert_same_features(model, trained, *SIZE)
