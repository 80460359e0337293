"""timm's classes of ViTs: support levels, maps, patches, and models of other packages."""

import copy
import functools
import sys

import pytest
import torch
from refused_backbones import NOT_PLAIN

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.vit.classes import class_of, maps_of, patch_size_of, prefix_tokens_of
from nnunet_vit.modeling.vit.timm_models import build_timm, inspect_timm

pytestmark = pytest.mark.unit


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
    assert (type(model), patch_size_of(model), class_of(model).supported) == (Mine, 8, True)
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
    with pytest.raises(ConfigError) as caught:
        build_timm("mine", None, 3)
    assert str(caught.value) == NOT_PLAIN.format("mine")


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
    assert (class_of(model).supported, patch_size_of(model)) == (False, patch)
    assert [level.shape for level in maps] == [(2, model.embed_dim, 4, 6)] * 2
    assert prefix_tokens_of(model) == BEST_EFFORT[name]


@pytest.mark.parametrize(
    "name",
    ["vit_tiny_patch16_224", "eva02_tiny_patch14_224", "deit_tiny_distilled_patch16_224",
     "beit_base_patch16_224"],
)  # fmt: skip
def test_the_supported_classes(name):
    with torch.device("meta"):
        assert class_of(build_timm(name, None, 3)).supported


def test_another_module_is_no_vit():
    with pytest.raises(ConfigError) as caught:
        class_of(torch.nn.Linear(2, 2))
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
        model = build_timm(name, (3 * patch, 2 * patch), 3, patch_size=patch)
        maps = maps_of(model.to("meta"), torch.empty(1, 3, 3 * patch, 2 * patch), [0])
    assert [level.shape for level in maps] == [(1, model.embed_dim, 3, 2)]


@pytest.mark.parametrize("name", ["xcit_nano_12_p16_224", "samvit_base_patch16"])
def test_a_patch_that_cannot_be_changed(name):
    with torch.device("meta"), pytest.raises(ConfigError) as caught:
        build_timm(name, (32, 32), 3, patch_size=8)
    assert str(caught.value) == (
        f"model.vit_patch_size: the patch of {name} is 16 pixels and cannot be changed to 8. "
        "Fix: model.vit_patch_size: null, or a model of timm's vision_transformer, eva, deit, beit."
    )
    with torch.device("meta"):
        assert patch_size_of(build_timm(name, (32, 32), 3, patch_size=16)) == 16
