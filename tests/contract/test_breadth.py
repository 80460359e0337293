"""Every ViT of timm that is called supported gives its maps; the best-effort ones do what they can.

All are built on the meta device: no memory, no weights.
"""

import re

import pytest
import timm
import torch

from nnunet_vit.backbones import TIMM_BEST_EFFORT, TIMM_SUPPORTED
from nnunet_vit.modeling.backbone import ViTBackbone, get_vit_features
from nnunet_vit.modeling.timm_models import build_timm, support_of

pytestmark = pytest.mark.contract

SUPPORTED = [name for module in TIMM_SUPPORTED for name in timm.list_models(module=module)]
IN_TIMM_1_0_22 = 228
DOWN, ACROSS = 10, 7  # patches: no aspect or number that any of them was pretrained at
# one of each way that the supported classes differ
REPRESENTATIVES = """
vit_tiny_patch16_224 vit_base_patch8_224 vit_small_patch32_224 vit_base_patch16_224_miil
vit_base_patch16_rpn_224 vit_small_patch16_18x2_224 vit_small_patch14_dinov2
vit_small_patch14_reg4_dinov2 vit_giant_patch14_reg4_dinov2 vit_base_patch16_siglip_224
vit_base_patch16_siglip_gap_224 vit_base_patch16_clip_224 vit_base_patch16_xp_224
vit_so150m_patch16_reg4_map_256 vit_intern300m_patch14_448 vit_pwee_patch16_reg1_gap_256
aimv2_large_patch14_224 beit3_base_patch16_224 flexivit_small test_vit test_vit3
vit_small_patch16_dinov3 vit_small_plus_patch16_dinov3 vit_small_patch16_dinov3_qkvb
vit_7b_patch16_dinov3 eva02_tiny_patch14_224 eva02_base_patch14_224 eva_giant_patch14_224
vit_pe_core_tiny_patch16_384 vit_pe_spatial_tiny_patch16_512 vit_small_patch16_rope_224
vit_small_patch16_rope_mixed_ape_224 vit_medium_patch16_rope_reg1_gap_256
deit_tiny_patch16_224 deit_tiny_distilled_patch16_224 deit3_small_patch16_224
beit_base_patch16_224 beitv2_base_patch16_224
""".split()
BEST_EFFORT = """
samvit_base_patch16 samvit_base_patch16_224 naflexvit_base_patch16_gap
naflexvit_base_patch16_par_gap naflexvit_base_patch16_map xcit_nano_12_p8_224
xcit_nano_12_p16_384 vit_relpos_small_patch16_224 vit_relpos_base_patch32_plus_rpn_256
vit_relpos_medium_patch16_cls_224 vit_srelpos_small_patch16_224
""".split()


def patch_in(name: str) -> int:
    found = re.search(r"patch(\d+)|_p(\d+)_", name)
    return int(found[1] or found[2]) if found else 16  # flexivit and timm's own test models


def assert_maps(name: str, support: str) -> None:
    patch = patch_in(name)
    size = (DOWN * patch, ACROSS * patch)
    with torch.device("meta"):
        model = build_timm(name, size, 3)
    backbone = ViTBackbone(model.to("meta"))  # timm computes some positions on the CPU all the same
    with torch.no_grad():
        maps = get_vit_features(model, torch.empty(2, 3, *size, device="meta"))
    assert support_of(model) == support
    assert (backbone.patch_size, backbone.embed_dim) == (patch, model.embed_dim)
    assert [tuple(level.shape) for level in maps] == [
        (2, backbone.embed_dim, DOWN, ACROSS)
    ] * backbone.depth


def test_the_supported_names():
    assert len(SUPPORTED) == len(set(SUPPORTED)) >= IN_TIMM_1_0_22
    if timm.__version__ == "1.0.22":
        assert len(SUPPORTED) == IN_TIMM_1_0_22
    assert set(REPRESENTATIVES) <= set(SUPPORTED)
    best_effort = {name for m in TIMM_BEST_EFFORT for name in timm.list_models(module=m)}
    assert set(BEST_EFFORT) <= best_effort


@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_one_of_each_kind(name):
    assert_maps(name, "supported")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*SUPPORTED} - {*REPRESENTATIVES}))
def test_all_the_others(name):
    assert_maps(name, "supported")


@pytest.mark.parametrize("name", BEST_EFFORT)
def test_best_effort(name):
    assert_maps(name, "best effort")
