"""The listing of backbones: what a user chooses by."""

import pytest

from nnunet_vit.report.listing import as_text, backbone_rows

pytestmark = pytest.mark.unit

ROW = {
    "name": "mine",
    "sizes": ["small", "large"],
    "patch_size": 16,
    "patch_sizes": {"small": 16, "large": 14},
    "licence": "MIT",
    "weights": "from somewhere",
    "fetched": True,
    "timm_modules": {},
    "summary": "of a test",
    "distribution": "x",
    "problem": "",
}


def test_a_family_as_text():
    assert as_text("backbones", [ROW]) == (
        "backbones:\n"
        "  mine  of a test\n"
        "        sizes: small, large\n"
        "        patch 16 (large: 14); licence: MIT\n"
        "        weights: from somewhere"
    )


def test_a_family_that_is_broken():
    unknown = {"sizes": [], "patch_size": None, "patch_sizes": {}, "weights": ""}
    broken = {**ROW, **unknown, "licence": "unknown", "problem": "out of order"}
    assert as_text("backbones", [broken]) == (
        "backbones:\n  mine  of a test\n        licence: unknown\n        BROKEN: out of order"
    )


def test_timm_comes_last_with_its_support_levels():
    row = backbone_rows()[-1]
    assert row["timm_modules"] == {
        "supported": ["vision_transformer", "eva", "deit", "beit"],
        "best effort": ["naflexvit", "vision_transformer_relpos", "vision_transformer_sam", "xcit"],
    }
    assert as_text("backbones", [row]) == (
        "backbones:\n"
        "  timm:<name>  any ViT of timm's modules vision_transformer, eva, deit, beit, like "
        "timm:vit_base_patch16_224\n"
        "               best effort: naflexvit, vision_transformer_relpos, "
        "vision_transformer_sam, xcit\n"
        "               licence: of the weights' model card\n"
        "               weights: fetched from timm's repositories on the model hub; "
        "timm:hf-hub:OWNER/NAME: from any that timm can read"
    )


def test_the_rows_of_this_package():
    rows = {row["name"]: row for row in backbone_rows()}
    assert rows["retfound"]["patch_sizes"]["dinov2_meh"] == 14
    assert [name for name, row in rows.items() if not row["fetched"]] == ["retfound", "visionfm"]
    assert {frozenset(row) for row in rows.values()} == {frozenset(ROW)}
