"""timm's plain ViTs: which are taken, at which sizes, and what is refused."""

import copy
import functools
import sys
from pathlib import Path

import pytest
import torch

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.timm_classes import maps_of, patch_size_of, prefix_tokens_of
from nnunet_vit.modeling.timm_models import (
    BackboneFacts,
    build_timm,
    check_image_size,
    inspect_timm,
    support_of,
)

pytestmark = pytest.mark.unit

NOT_PLAIN = (
    "model.backbone: timm's {} is no plain ViT that works here. Fix: choose a model of timm's "
    "vision_transformer, eva, deit, beit (all of them work) or of its naflexvit, "
    "vision_transformer_relpos, vision_transformer_sam, xcit (most do), for example "
    "timm:vit_base_patch16_224."
)


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


@pytest.fixture
def registered(monkeypatch):
    """`registered(build)` gives timm a model `mine`, as another package would."""
    from timm.models import _registry, register_model

    def register(build):
        def mine(pretrained=False, **given):
            asked = ("img_size", "in_chans", "num_classes", "global_pool", "dynamic_img_size")
            return build(**{name: given[name] for name in asked if name in given})

        mine.__module__ = "another_package"
        module = type(torch)("another_package")
        monkeypatch.setitem(sys.modules, "another_package", module)
        register_model(mine)

    kept = {name: copy.copy(value) for name, value in vars(_registry).items() if name[:1] == "_"}
    yield register
    for name in ("_model_entrypoints", "_model_to_module", "_module_to_models"):
        found = getattr(_registry, name)
        found.clear()
        found.update(kept[name])


def test_a_model_of_another_package_is_told_by_its_class(registered):
    from timm.models.vision_transformer import VisionTransformer

    class Mine(VisionTransformer):
        pass

    registered(lambda **given: Mine(patch_size=8, embed_dim=16, depth=2, num_heads=2, **given))
    model = build_timm("mine", (32, 48), 3)
    assert (type(model), patch_size_of(model), support_of(model)) == (Mine, 8, "supported")
    maps = maps_of(model, torch.zeros(1, 3, 32, 48), [0, 1])
    assert [level.shape for level in maps] == [(1, 16, 4, 6)] * 2


@pytest.mark.parametrize("stem", [None, "resnet18"])
def test_a_model_of_another_package_that_is_no_plain_vit(registered, stem):
    def build(**given):
        import timm
        from timm.layers import HybridEmbed
        from timm.models.vision_transformer import VisionTransformer

        if stem is None:
            return torch.nn.Linear(2, 2)
        network = timm.create_model(stem, features_only=True, out_indices=[2])
        embed = functools.partial(HybridEmbed, backbone=network)
        sizes = {"embed_dim": 16, "depth": 1, "num_heads": 2}
        return VisionTransformer(**sizes, embed_layer=embed, **given)

    registered(build)
    assert refusal("mine") == NOT_PLAIN.format("mine")


BEST_EFFORT = {
    "samvit_base_patch16": 0,
    "samvit_base_patch16_224": 0,
    "naflexvit_base_patch16_gap": 4,
    "naflexvit_base_patch16_siglip": 0,
    "xcit_nano_12_p16_224": 0,
    "xcit_nano_12_p8_224": 0,
    "vit_relpos_small_patch16_224": 0,
    "vit_relpos_base_patch16_cls_224": 1,
}


@pytest.mark.parametrize("name", BEST_EFFORT)
@pytest.mark.parametrize("channels", [2, 3])
def test_the_best_effort_classes(name, channels):
    patch = 8 if "p8" in name else 16
    assert inspect_timm(name).patch_size == patch
    size = (4 * patch, 6 * patch)
    with torch.device("meta"):
        model = build_timm(name, size, channels)
        maps = maps_of(model, torch.empty(2, channels, *size), [0, len(model.blocks) - 1])
    assert (support_of(model), patch_size_of(model)) == ("best effort", patch)
    assert [level.shape for level in maps] == [(2, model.embed_dim, 4, 6)] * 2
    assert prefix_tokens_of(model) == BEST_EFFORT[name]


@pytest.mark.parametrize(
    "name",
    ["vit_tiny_patch16_224", "eva02_tiny_patch14_224", "deit_tiny_distilled_patch16_224",
     "beit_base_patch16_224"],
)  # fmt: skip
def test_the_supported_classes(name):
    with torch.device("meta"):
        assert support_of(build_timm(name, None, 3)) == "supported"


def test_another_module_is_no_vit():
    with pytest.raises(ConfigError) as caught:
        support_of(torch.nn.Linear(2, 2))
    assert str(caught.value) == (
        "Linear is no plain ViT that works here. Fix: a model of timm's vision_transformer, eva, "
        "deit, beit, vision_transformer_relpos, naflexvit, vision_transformer_sam, xcit."
    )


@pytest.mark.parametrize(
    ("name", "patch"),
    [
        ("vit_small_patch14_dinov2", 16),
        ("vit_small_patch16_dinov3", 8),
        ("deit_tiny_distilled_patch16_224", 32),
        ("beit_base_patch16_224", 8),
        ("eva02_tiny_patch14_224", 16),
        ("aimv2_large_patch14_224", 16),
    ],
)
def test_another_patch(name, patch):
    assert inspect_timm(name, patch).patch_size == patch
    with torch.device("meta"):
        model = build_timm(name, (3 * patch, 2 * patch), 3, patch)
        maps = maps_of(model.to("meta"), torch.empty(1, 3, 3 * patch, 2 * patch), [0])
    assert [level.shape for level in maps] == [(1, model.embed_dim, 3, 2)]


@pytest.mark.parametrize("name", ["xcit_nano_12_p16_224", "samvit_base_patch16"])
def test_a_patch_that_cannot_be_changed(name):
    with torch.device("meta"), pytest.raises(ConfigError) as caught:
        build_timm(name, (32, 32), 3, 8)
    assert str(caught.value) == (
        f"model.patch_size: the patch of {name} is 16 pixels and cannot be changed to 8. "
        "Fix: model.patch_size: null, or a model of timm's vision_transformer, eva, deit, beit."
    )
    with torch.device("meta"):
        assert patch_size_of(build_timm(name, (32, 32), 3, 16)) == 16


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


@pytest.mark.parametrize(
    ("name", "patch", "mean", "std"),
    [
        ("vit_small_patch14_dinov2", 14, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("vit_base_patch16_224.mae", 16, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("vit_base_patch16_224", 16, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        (
            "vit_large_patch16_dinov3.sat493m",
            16,
            (0.43, 0.411, 0.296),
            (0.213, 0.156, 0.143),
        ),
    ],
)
def test_the_facts_are_those_of_the_tag(name, patch, mean, std):
    assert inspect_timm(name) == BackboneFacts(patch, mean, std)


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
