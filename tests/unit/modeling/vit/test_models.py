"""timm's plain ViTs: which are taken, at which sizes, and what is refused."""

from pathlib import Path

import pytest
import torch
from refused_backbones import NOT_PLAIN

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.vit.classes import patch_size_of
from nnunet_vit.modeling.vit.timm_models import (
    BackboneFacts,
    build_timm,
    check_image_size,
    inspect_timm,
)

pytestmark = pytest.mark.unit


def refusal(name, size=None):
    with pytest.raises(ConfigError) as caught:
        build_timm(name, size, 3)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "size", "patch"),
    [
        ("test_vit", (32, 80), 16),
        ("test_vit", None, 16),
        ("vit_tiny_patch16_224", (48, 32), 16),
        ("eva02_tiny_patch14_224", (28, 56), 14),
        ("vit_tiny_patch16_224.augreg_in21k", (32, 32), 16),
    ],
)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_plain_vit_is_built_for_its_images(name, size, patch, channels):
    with torch.device("meta"):
        model = build_timm(name, size, channels)
        height, width = size or (2 * patch, 3 * patch)
        maps = model.forward_intermediates(
            torch.empty(2, channels, height, width), intermediates_only=True
        )
    assert patch_size_of(model) == patch
    assert {level.shape for level in maps} == {
        (2, model.embed_dim, height // patch, width // patch)
    }
    assert model.num_classes == 0


def test_no_weights_are_fetched_and_no_pooling_is_left(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    model = build_timm("vit_base_patch16_siglip_224", (32, 32), 3)
    assert model.attn_pool is None


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",
        "swin_tiny_patch4_window7_224",
        "hiera_tiny_224",
        "cait_xxs24_224",
        "convit_tiny",
        "vitamin_small_224",
        "vit_small_r26_s32_224",
        "vit_tiny_r_s16_p8_224",
    ],
)
@pytest.mark.parametrize("size", [None, (224, 224)])
def test_what_does_not_work_is_refused_before_it_is_built(monkeypatch, name, size):
    import timm

    monkeypatch.setattr(timm, "create_model", None)
    assert refusal(name, size) == NOT_PLAIN.format(name)


FIXED_SIZE = [
    "beit_base_patch16_224",
    "vit_relpos_small_patch16_224",
    "deit_tiny_distilled_patch16_224",
]


@pytest.mark.parametrize("name", FIXED_SIZE)
def test_plain_vits_without_some_of_the_arguments(name):
    assert inspect_timm(name).patch_size == 16
    with torch.device("meta"):
        model = build_timm(name, (48, 32), 2)
        maps = model.forward_intermediates(torch.empty(1, 2, 48, 32), intermediates_only=True)
    assert {level.shape for level in maps} == {(1, model.embed_dim, 3, 2)}
    assert model.num_classes == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "vit_base_patch16_225",
            "timm has no model 'vit_base_patch16_225'. Did you mean 'vit_base_patch16_224'?",
        ),
        ("nonsense", "timm has no model 'nonsense'."),
        (  # a name that timm has given up
            "vit_tiny_patch16_224_in21k",
            "timm has no model 'vit_tiny_patch16_224_in21k'. Did you mean 'vit_tiny_patch16_224'?",
        ),
        ("", "timm has no model ''."),
        (
            "test_vit.x",
            "timm's test_vit has no weights tagged 'x'. Tags: r160_in1k.",
        ),
        (
            "vit_small_patch14_dinov2.lvd124m",
            "timm's vit_small_patch14_dinov2 has no weights tagged 'lvd124m'. "
            "Did you mean 'lvd142m'? Tags: lvd142m.",
        ),
        (
            "vit_giant_patch14_224.x",
            "timm's vit_giant_patch14_224 has no weights tagged 'x'. Tags: none.",
        ),
    ],
)
def test_a_name_that_timm_does_not_have(name, text):
    assert refusal(name) == f"model.backbone: {text}"


IMAGENET, HALF = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), ((0.5,) * 3,) * 2
SATELLITE = ((0.43, 0.411, 0.296), (0.213, 0.156, 0.143))


@pytest.mark.parametrize(
    ("name", "patch", "statistics", "tag"),
    [
        ("vit_small_patch14_dinov2", 14, IMAGENET, "lvd142m"),
        ("vit_base_patch16_224.mae", 16, IMAGENET, "mae"),
        ("vit_base_patch16_224", 16, HALF, "augreg2_in21k_ft_in1k"),
        ("vit_large_patch16_dinov3.sat493m", 16, SATELLITE, "sat493m"),
        ("vit_base_patch16_18x2_224", 16, HALF, ""),  # timm has no weights of it
    ],
)
def test_the_facts_are_those_of_the_tag(name, patch, statistics, tag):
    assert inspect_timm(name) == BackboneFacts(patch, *statistics, tag)


def test_inspecting_gives_no_memory(one_gigabyte):
    """Seven billion parameters would be 27 GB."""
    assert inspect_timm("vit_7b_patch16_dinov3").patch_size == 16


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the limit needs Linux")
def test_building_does(one_gigabyte):
    with pytest.raises((RuntimeError, MemoryError)):
        build_timm("vit_7b_patch16_dinov3", (32, 32), 3)


@pytest.mark.parametrize(
    ("size", "patch", "nearest"),
    [
        ((50, 64), 16, "[48, 64]"),
        ((3, 64), 16, "[16, 64]"),
        ((224, 225), 14, "[224, 224]"),
        ((256, 256), 14, "[252, 252]"),
    ],
)
def test_a_size_that_timm_would_floor(size, patch, nearest):
    with pytest.raises(ConfigError) as caught:
        check_image_size("test_vit", size, patch)
    assert str(caught.value) == (
        f"image_size {list(size)} is not a multiple of the patch of test_vit, {patch} "
        f"pixels. Fix: image_size: {nearest}"
    )


@pytest.mark.parametrize(("size", "patch"), [((16, 160), 16), ((14, 14), 14), ((518, 28), 14)])
def test_a_multiple_of_the_patch(size, patch):
    check_image_size("test_vit", size, patch)
