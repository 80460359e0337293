"""timm's plain ViTs, built for the image size that they will see."""

from dataclasses import dataclass
from typing import Any

import timm
import torch
from timm.layers import HybridEmbed
from torch import nn

from nnunet_vit.errors import ConfigError, did_you_mean


def build_timm(name: str, image_size: tuple[int, int] | None, in_channels: int) -> nn.Module:
    """Build a timm ViT without weights and without its classifier.

    Args:
        name: timm's name, with or without a tag of weights.
        image_size: (H, W) in pixels, multiples of the patch; None: any multiple of the patch.
        in_channels: of the images.

    Raises:
        ConfigError: timm has no such model, or it is not a plain ViT.
    """
    _check_name(name)
    model = _first_that_builds(name, _arguments(image_size), in_channels)
    stem = getattr(model, "patch_embed", None)
    blocks = getattr(model, "blocks", None)
    if model is None or not isinstance(blocks, nn.Module) or isinstance(stem, HybridEmbed):
        raise _not_plain(name)
    if patch_size_of(model) < 2:
        raise _not_plain(name)
    return model


def _arguments(image_size: tuple[int, int] | None) -> list[dict[str, Any]]:
    """Return the ways to ask for a size, best first; not every class of ViTs knows each."""
    sizes = [{"img_size": image_size}] if image_size else [{"dynamic_img_size": True}, {}]
    # global_pool='' leaves out pooling layers that would never get a gradient
    return [{**size, **pool} for size in sizes for pool in ({"global_pool": ""}, {})]


def _first_that_builds(name: str, ways: list[dict[str, Any]], in_channels: int) -> nn.Module | None:
    for way in ways:
        try:
            model: nn.Module = timm.create_model(
                name, pretrained=False, in_chans=in_channels, num_classes=0, **way
            )
        except (TypeError, AssertionError):  # how timm says that a class does not know an argument
            continue
        return model
    return None


def patch_size_of(model: nn.Module) -> int:
    """Return the edge of the ViT's patches in pixels, or 0 where it has none."""
    stem = getattr(model, "patch_embed", None)
    size = getattr(stem, "patch_size", (0,))
    return int(size[0]) if isinstance(size, tuple) else int(size)


@dataclass(frozen=True)
class BackboneFacts:
    """What can be known of a timm ViT without its weights.

    Attributes:
        patch_size: edge of a patch, pixels.
        mean: per RGB channel, of intensities in 0..1, as its tag of weights was trained.
        std: likewise.
    """

    patch_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]


def inspect_timm(name: str) -> BackboneFacts:
    """Look at a timm ViT without giving it memory.

    Raises:
        ConfigError: timm has no such model, or it is not a plain ViT.
    """
    with torch.device("meta"):
        model = build_timm(name, None, 3)
    settings: Any = model.pretrained_cfg
    return BackboneFacts(patch_size_of(model), tuple(settings["mean"]), tuple(settings["std"]))


def check_image_size(
    name: str, image_size: tuple[int, int], patch: int, key: str = "image_size"
) -> None:
    """Refuse an image size that timm would floor to whole patches without a word.

    Raises:
        ConfigError: an edge is no multiple of the patch.
    """
    if any(edge % patch for edge in image_size):
        nearest = [max(1, round(edge / patch)) * patch for edge in image_size]
        raise ConfigError(
            f"{key} {list(image_size)} is not a multiple of the patch of {name}, {patch} pixels.",
            fix=f"{key}: {nearest}",
        )


def _check_name(name: str) -> None:
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        hint = did_you_mean(architecture, timm.list_models("*vit*") + timm.list_models("eva*"))
        raise ConfigError(f"model.backbone: timm has no model '{architecture}'.{hint}")
    tags = [found.partition(".")[2] for found in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise ConfigError(
            f"model.backbone: timm's {architecture} has no weights tagged '{tag}'."
            f"{did_you_mean(tag, tags)} Tags: {', '.join(tags) or 'none'}."
        )


def _not_plain(name: str) -> ConfigError:
    return ConfigError(
        f"model.backbone: '{name}' is not a plain ViT: it has no patches and blocks of one width.",
        fix="choose a ViT, for example timm:vit_base_patch16_224.",
    )
