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
FAMILY = BackboneFamily(
    name="mine",
    summary="of a test",
    timm_name="vit_{size}_patch16_224.tag",
    sizes=("tiny", "small"),
    default_size="small",
    patch_size=16,
    licence="MIT",
)


def test_the_families_are_the_files_of_the_folder():
    assert {"dinov2", "dinov3"} <= set(FAMILIES)
    assert all(name == family.name for name, family in FAMILIES.items())


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_what_people_read_is_there(family):
    assert re.fullmatch(r"[a-z0-9_-]+", family.name)
    assert family.summary
    assert family.licence
    assert "{size}" in family.timm_name or len(family.sizes) == 1
    assert family.default_size in family.sizes
    assert len(set(family.sizes)) == len(family.sizes)


@pytest.mark.parametrize(("family", "size", "name"), NAMES, ids=[name for *_, name in NAMES])
def test_timm_has_the_model_and_its_weights(family, size, name):
    import timm

    architecture, _, tag = name.partition(".")
    assert timm.is_model(architecture)
    if tag:
        assert name in timm.list_pretrained(f"{architecture}.*")


@pytest.mark.parametrize(("family", "size", "name"), NAMES, ids=[name for *_, name in NAMES])
def test_patch_and_statistics_are_those_of_the_weights(one_gigabyte, family, size, name):
    from nnunet_vit.modeling.timm_models import inspect_timm

    facts = inspect_timm(name)
    assert facts.patch_size == family.patch_size
    if "." in name:  # without a tag, timm's default weights are not the family's
        assert facts.mean == pytest.approx(family.mean, abs=1e-6)
        assert facts.std == pytest.approx(family.std, abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_layers_that_a_run_adapts_by_default_exist(family):
    import torch
    from torch import nn

    from nnunet_vit.config.models import ViTLoRAConfig
    from nnunet_vit.modeling.timm_models import build_timm

    with torch.device("meta"):
        model = build_timm(family.timm_name_of(family.sizes[0]), None, 3)
    linear = {
        name.rpartition(".")[2]
        for name, module in model.blocks.named_modules()
        if isinstance(module, nn.Linear)
    }
    targets = set(ViTLoRAConfig().target_modules)
    assert targets and targets <= linear


def test_the_size():
    assert FAMILY.timm_name_of("tiny") == "vit_tiny_patch16_224.tag"
    assert FAMILY.timm_name_of(None) == "vit_small_patch16_224.tag"


@pytest.mark.parametrize(
    ("size", "hint"),
    [("smal", " Did you mean 'small'?"), ("9b", ""), ("Tiny", " Did you mean 'tiny'?")],
)
def test_an_unknown_size(size, hint):
    with pytest.raises(ConfigError) as caught:
        FAMILY.timm_name_of(size)
    assert str(caught.value) == f"Backbone 'mine' has no size '{size}'.{hint} Sizes: tiny, small."


def test_an_unknown_family():
    with pytest.raises(ConfigError) as caught:
        backbones.family("dinov4")
    assert str(caught.value) == (
        "Unknown backbone 'dinov4'. Did you mean 'dinov3'? "
        f"Installed: {', '.join(FAMILIES)}, timm:<name>. "
        "Fix: pip install nnunet-vit-dinov4, or choose an installed backbone "
        "(`vit_cli list-models` shows them)."
    )


def test_timm_names():
    assert backbones.is_timm("timm:vit_tiny_patch16_224")
    assert not backbones.is_timm("dinov3")
    assert backbones.timm_name("timm:vit_tiny_patch16_224", None) == "vit_tiny_patch16_224"
    assert backbones.timm_name("dinov3", None) == FAMILIES["dinov3"].timm_name_of("large")
    assert backbones.timm_name("dinov2", "small") == "vit_small_patch14_dinov2.lvd142m"
