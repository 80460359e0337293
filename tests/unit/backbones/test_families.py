"""Each family's data, against timm's own registry and models."""

import re

import pytest

from nnunet_vit import backbones
from nnunet_vit.backbones.family import BackboneFamily
from nnunet_vit.errors import ConfigError

pytestmark = pytest.mark.unit

FAMILIES = backbones.own_families()
NAMES = [
    (family, size, family.timm_name_of(size))
    for family in FAMILIES.values()
    for size in family.sizes
]
IDS = [f"{family.name}-{size}" for family, size, _ in NAMES]
FAMILY = BackboneFamily(
    name="mine",
    summary="of a test",
    timm_name="vit_{size}_patch16_224.tag",
    sizes=("tiny", "small"),
    default_size="small",
    patch_size=16,
    licence="MIT",
    patch_sizes={"tiny": 8},
    statistics={"tiny": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))},
    weights="from somewhere",
    published_as={"tiny": "Tiny-1"},
)


def test_the_families_are_the_files_of_the_folder():
    assert {"dinov2", "dinov3", "retfound", "visionfm"} <= set(FAMILIES)
    assert all(name == family.name for name, family in FAMILIES.items())


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_what_people_read_is_there(family):
    assert re.fullmatch(r"[a-z0-9_-]+", family.name)
    assert family.summary
    assert family.licence
    if family.fetched:  # else weights of several sizes fit one model of timm
        assert len({family.timm_name_of(size) for size in family.sizes}) == len(family.sizes)
    assert family.default_size in family.sizes
    assert len(set(family.sizes)) == len(family.sizes)


@pytest.mark.parametrize(("family", "size", "name"), NAMES, ids=IDS)
def test_timm_has_the_model_and_its_weights(family, size, name):
    import timm

    architecture, _, tag = name.partition(".")
    assert timm.is_model(architecture)
    if tag:
        assert name in timm.list_pretrained(f"{architecture}.*")


@pytest.mark.parametrize(("family", "size", "name"), NAMES, ids=IDS)
def test_patch_statistics_and_layers_are_those_of_the_model(one_gigabyte, family, size, name):
    import torch
    from torch import nn

    from nnunet_vit.modeling.vit.classes import class_of, patch_size_of
    from nnunet_vit.modeling.vit.timm_models import build_timm

    with torch.device("meta"):
        model = build_timm(name, None, 3)
    assert (patch_size_of(model), class_of(model).supported) == (family.patch_size_of(size), True)
    layers = {
        name.rpartition(".")[2]
        for name, module in model.blocks.named_modules()
        if isinstance(module, nn.Linear)
    }
    assert set(family.lora_targets) and set(family.lora_targets) <= layers
    if family.fetched:  # the others' names in timm are of another's weights
        mean, std = family.statistics_of(size)
        assert model.pretrained_cfg["mean"] == pytest.approx(mean, abs=1e-6)
        assert model.pretrained_cfg["std"] == pytest.approx(std, abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_what_is_said_of_single_sizes_is_said_of_sizes_that_exist(family):
    for said in (family.timm_names, family.patch_sizes, family.statistics, family.published_as):
        assert set(said) <= set(family.sizes)
    if not family.fetched:
        assert set(family.published_as) == set(family.sizes)


def test_statistics_are_of_intensities_from_0_to_1():
    for family in FAMILIES.values():
        for size in family.sizes:
            mean, std = family.statistics_of(size)
            assert len(mean) == len(std) == 3
            assert all(0 < value < 1 for value in (*mean, *std))


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("dinov3", "small small_plus base large huge_plus 7b"),
        ("dinov2", "small base large giant small_reg4 base_reg4 large_reg4 giant_reg4"),
        ("retfound", "mae_cfp mae_oct mae_meh mae_shanghai dinov2_meh dinov2_shanghai"),
        ("visionfm", "fundus oct ffa ubm external slit_lamp mri ultrasound"),
    ],
)
def test_the_sizes(name, sizes):
    assert " ".join(FAMILIES[name].sizes) == sizes


@pytest.mark.parametrize(
    ("size", "patch", "mean", "where"),
    [
        ("tiny", 8, (0.5, 0.5, 0.5), "Tiny-1, from somewhere"),
        ("small", 16, (0.485, 0.456, 0.406), "from somewhere"),
        (None, 16, (0.485, 0.456, 0.406), "from somewhere"),
    ],
)
def test_a_size_may_differ_from_its_family(size, patch, mean, where):
    assert FAMILY.patch_size_of(size) == patch
    assert FAMILY.statistics_of(size)[0] == mean
    assert FAMILY.weights_of(size) == where


def test_the_size():
    assert FAMILY.timm_name_of("tiny") == "vit_tiny_patch16_224.tag"
    assert FAMILY.timm_name_of(None) == "vit_small_patch16_224.tag"


@pytest.mark.parametrize("ask", ["timm_name_of", "patch_size_of", "statistics_of", "weights_of"])
@pytest.mark.parametrize(
    ("size", "hint"),
    [("smal", " Did you mean 'small'?"), ("9b", ""), ("Tiny", " Did you mean 'tiny'?")],
)
def test_an_unknown_size(ask, size, hint):
    with pytest.raises(ConfigError) as caught:
        getattr(FAMILY, ask)(size)
    assert str(caught.value) == f"Backbone 'mine' has no size '{size}'.{hint} Sizes: tiny, small."


def test_an_unknown_family():
    with pytest.raises(ConfigError) as caught:
        backbones.family("dinov4")
    assert str(caught.value) == (
        "Unknown backbone 'dinov4'. Did you mean 'dinov3'? "
        f"Installed: {', '.join(FAMILIES)}, timm:<name>. "
        "Fix: choose an installed backbone (`vit_cli list-models` shows them)."
    )


def test_timm_names():
    assert backbones.is_timm("timm:vit_tiny_patch16_224")
    assert not backbones.is_timm("dinov3")
    assert backbones.timm_name("timm:vit_tiny_patch16_224", None) == "vit_tiny_patch16_224"
    assert backbones.timm_name("dinov3", None) == FAMILIES["dinov3"].timm_name_of("large")
    assert backbones.timm_name("dinov2", "giant_reg4") == "vit_giant_patch14_reg4_dinov2.lvd142m"
    assert backbones.timm_name("dinov2", "small") == "vit_small_patch14_dinov2.lvd142m"


def test_the_layers_that_adapters_go_to_by_default():
    assert backbones.default_targets("dinov3") == ("qkv",)
    assert backbones.default_targets("timm:vit_tiny_patch16_224") is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("vit_tiny_patch16_224", " Did you mean 'timm:vit_tiny_patch16_224'?"),
        ("eva02_base_patch14_224", " Did you mean 'timm:eva02_base_patch14_224'?"),
        ("dinov33", " Did you mean 'dinov3'?"),
        ("resnet50", ""),
    ],
)
def test_a_name_without_its_timm(name, hint):
    with pytest.raises(ConfigError) as caught:
        backbones.family(name)
    text = str(caught.value)
    assert text.startswith(f"Unknown backbone '{name}'.{hint} Installed: dinov2, dinov3, ")
    choose = " Fix: choose an installed backbone (`vit_cli list-models` shows them)"
    install = "" if hint else f", or install the package that brings '{name}'"
    assert text.endswith(f"{choose}{install}.")
