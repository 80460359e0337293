"""Every supported backbone takes the file that timm publishes for it: classifier, pools and all."""

from pathlib import Path

import pytest
import timm
import torch

from nnunet_vit.backbones import TIMM_SUPPORTED
from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.judging import judge_names
from nnunet_vit.modeling.weights.names.candidates import best_reading

pytestmark = pytest.mark.contract

SUPPORTED = [name for module in TIMM_SUPPORTED for name in timm.list_models(module=module)]
LAST_NORM = {"norm.weight", "norm.bias"}


def on_meta(name, **settings):
    with torch.device("meta"):
        try:
            return timm.create_model(name, depth=1, **settings)
        except AssertionError as error:
            if "one entry per block" not in str(error):
                raise
            return timm.create_model(name, **settings)  # says something of each of its blocks


def backbone(name):
    try:
        return on_meta(name, num_classes=0, global_pool="")
    except AssertionError:  # a distilled DeiT has no pool to leave out
        return on_meta(name, num_classes=0)


def test_published_files_cover_their_backbones():
    """Only the last norm may lack, where a classifier was trained on the norm of a mean."""
    assert len(SUPPORTED) >= 228
    for name in SUPPORTED:
        published = on_meta(name).state_dict()
        own = backbone(name).state_dict()
        reading = best_reading(published, backbone(name))
        assert reading is not None
        judge_names(reading.tensors, own, 1.0, path=Path(name))
        missing = set(own) - set(reading.tensors)
        assert missing <= LAST_NORM, name
        assert not missing or "fc_norm.weight" in published, name


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("vit_base_patch16_224", "vit_base_patch14_dinov2"),
        ("vit_base_patch14_dinov2", "vit_base_patch16_224"),
        ("vit_base_patch14_dinov2", "vit_base_patch14_reg4_dinov2"),
        ("vit_base_patch14_reg4_dinov2", "vit_base_patch14_dinov2"),
        ("vit_base_patch16_dinov3", "vit_base_patch14_reg4_dinov2"),
        ("vit_base_patch16_dinov3_qkvb", "vit_base_patch16_dinov3"),
        ("beit_base_patch16_224", "deit3_base_patch16_224"),
        ("deit_base_patch16_224", "deit_base_distilled_patch16_224"),
        ("deit_base_distilled_patch16_224", "deit_base_patch16_224"),
        ("vit_base_patch16_224", "vit_base_patch16_clip_224"),
    ],
)
def test_files_of_another_architecture_of_the_same_width_do_not(name, other):
    model, tensors = backbone(name), on_meta(other).state_dict()
    reading = best_reading(tensors, model)
    assert reading is not None
    with pytest.raises(ModelError, match=" of parameters covered; "):
        judge_names(reading.tensors, model.state_dict(), 1.0, path=Path(other))
