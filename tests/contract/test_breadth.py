"""Every ViT of timm that is called supported gives its maps; the best-effort ones do what they can.

All are built on the meta device: no memory, no weights.
"""

import re

import pytest
import timm
import torch

from nnunet_vit.backbones import TIMM_BEST_EFFORT, TIMM_SUPPORTED
from nnunet_vit.modeling.backbone import ViTBackbone, get_vit_features
from nnunet_vit.modeling.vit.classes import class_of
from nnunet_vit.modeling.vit.timm_models import build_timm

pytestmark = pytest.mark.contract

SUPPORTED = [name for module in TIMM_SUPPORTED for name in timm.list_models(module=module)]
IN_TIMM_1_0_22 = 228
EACH = 4  # so many-th name is in the default tier, all others are slow tests
DOWN, ACROSS = 10, 7  # patches: no aspect or number that any of them was pretrained at
BEST_EFFORT = """
samvit_base_patch16 samvit_base_patch16_224 naflexvit_base_patch16_gap
naflexvit_base_patch16_par_gap naflexvit_base_patch16_map xcit_nano_12_p8_224
xcit_nano_12_p16_384 vit_relpos_small_patch16_224 vit_relpos_base_patch32_plus_rpn_256
vit_relpos_medium_patch16_cls_224 vit_srelpos_small_patch16_224
""".split()


def patch_in(name: str) -> int:
    found = re.search(r"patch(\d+)|_p(\d+)_", name)
    return int(found[1] or found[2]) if found else 16  # flexivit and timm's own test models


@pytest.fixture(autouse=True)
def no_initial_values(monkeypatch):
    """Spare the meta device the drawing of values that it does not keep: a third of the time."""
    from timm.layers import weight_init

    monkeypatch.setattr(weight_init, "_trunc_normal_", lambda tensor, *_: tensor)


def assert_maps(name: str, supported: bool) -> None:
    patch = patch_in(name)
    size = (DOWN * patch, ACROSS * patch)
    with torch.device("meta"):
        model = build_timm(name, size, 3)
    backbone = ViTBackbone(model.to("meta"))  # timm computes some positions on the CPU all the same
    with torch.no_grad():
        maps = get_vit_features(model, torch.empty(2, 3, *size, device="meta"))
    assert class_of(model).supported is supported
    assert (backbone.patch_size, backbone.embed_dim) == (patch, model.embed_dim)
    assert [tuple(level.shape) for level in maps] == [
        (2, backbone.embed_dim, DOWN, ACROSS)
    ] * backbone.depth


def test_the_supported_names():
    assert len(SUPPORTED) == len(set(SUPPORTED)) >= IN_TIMM_1_0_22
    if timm.__version__ == "1.0.22":
        assert len(SUPPORTED) == IN_TIMM_1_0_22
    best_effort = {name for m in TIMM_BEST_EFFORT for name in timm.list_models(module=m)}
    assert set(BEST_EFFORT) <= best_effort


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if number % EACH == 0 else pytest.mark.slow)
        for number, name in enumerate(SUPPORTED)
    ],
)
def test_every_supported_name(name):
    assert_maps(name, supported=True)


@pytest.mark.parametrize("name", BEST_EFFORT)
def test_best_effort(name):
    assert_maps(name, supported=False)
