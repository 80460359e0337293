"""Families of pretrained ViTs: one file each, found by being here, and those of plugins."""

import re
from functools import cache

from nnunet_vit.backbones.family import BackboneFamily
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.calling import described_by
from nnunet_vit.registry.lookup import modules_of

TIMM_PREFIX = "timm:"
HUB_PREFIX = f"{TIMM_PREFIX}hf-hub:"  # as timm writes a repository of the model hub
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
TIMM_LIKE = re.compile(r"^(vit|deit|beit|eva|flexivit|test_vit|aimv2)\w*_|_patch\d+")
# modules of timm: every model of these works; of those most do
TIMM_SUPPORTED = ("vision_transformer", "eva", "deit", "beit")
TIMM_BEST_EFFORT = ("naflexvit", "vision_transformer_relpos", "vision_transformer_sam", "xcit")


@cache
def own_families() -> dict[str, BackboneFamily]:
    """Return the families of this folder by name."""
    modules = modules_of(__name__, __path__, besides="family")
    return {module.FAMILY.name: module.FAMILY for module in modules}


def family(name: str) -> BackboneFamily:
    """Return the family of that name, from this folder or from an installed package.

    Raises:
        ConfigError: nobody has it.
        PluginError: several have it, or the package that has it is broken.
    """
    own = own_families()
    outside = catalogue.installed(catalogue.BACKBONES)
    if name in own:
        if name in outside:
            raise catalogue.own_clash(outside[name][0])
        return own[name]
    if name not in outside:
        known = [*own, *outside, f"{TIMM_PREFIX}<name>"]
        of_timm = f" Did you mean '{TIMM_PREFIX}{name}'?" if TIMM_LIKE.search(name) else ""
        raise catalogue.unknown_name("backbone", name, known, hint=of_timm)
    return outside_family(catalogue.find(catalogue.BACKBONES, name))


def outside_family(record: catalogue.PluginRecord) -> BackboneFamily:
    """Return the family that an installed package describes.

    Raises:
        PluginError: the package is broken or describes something else.
    """
    return described_by(record, BackboneFamily, "nnunet_vit.backbones.family.BackboneFamily")


def is_timm(backbone: str) -> bool:
    """Tell whether the run file names a timm model (`timm:<name>`) rather than a family."""
    return backbone.startswith(TIMM_PREFIX)


def repository_of(backbone: str) -> str | None:
    """Return OWNER/NAME of a backbone that is a repository of the hub; None: it is none.

    Its config.json names the network; before that is read, nobody knows its name in timm.
    """
    return backbone.removeprefix(HUB_PREFIX) if backbone.startswith(HUB_PREFIX) else None


def timm_name(backbone: str, size: str | None) -> str:
    """Return the timm name, with tag if the family fixes one, of a backbone and its size.

    Raises:
        ConfigError: unknown family or size.
    """
    if is_timm(backbone):
        return backbone.removeprefix(TIMM_PREFIX)
    return family(backbone).timm_name_of(size)


def default_targets(backbone: str) -> tuple[str, ...] | None:
    """Return the layers that a family's adapters go to; None for a timm model: its layers tell.

    Raises:
        ConfigError: unknown family.
    """
    return None if is_timm(backbone) else family(backbone).lora_targets
