"""timm's plain ViTs, built for the image size that they will see."""

from dataclasses import dataclass
from typing import Any

import timm
import torch
from torch import nn

from nnunet_vit.backbones import TIMM_BEST_EFFORT, TIMM_SUPPORTED
from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.config.patch_multiples import is_multiple, nearest_multiple
from nnunet_vit.errors import ConfigError, did_you_mean
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.vit.arguments import NO_ARGUMENTS, argument_text, built_with
from nnunet_vit.modeling.vit.classes import TimmClass, class_of, class_of_name, patch_size_of

EXAMPLE = "timm:vit_base_patch16_224"
UNTRAINED = "untrained"  # timm's tag where it has no weights


def build_timm(
    name: str,
    image_size: tuple[int, int] | None,
    in_channels: int,
    *,
    patch_size: int | None = None,
    more: BackboneArguments = NO_ARGUMENTS,
) -> nn.Module:
    """Build a timm ViT without weights and without its classifier.

    Args:
        name: timm's name, with or without a tag of weights.
        image_size: (H, W) in pixels, multiples of the patch; None: any multiple of the patch, or
            the pretrained size where the class takes no other.
        in_channels: of the images.
        patch_size: edge of a patch, pixels; None: as it was pretrained.
        more: arguments in which the network differs from its name.

    Raises:
        ConfigError: timm has no such model, it is none of the ViTs that work here, its patch
            cannot be changed, or it does not take an argument.
    """
    kind = _class_of_known(name)
    arguments = {"in_chans": in_channels, **_size_arguments(kind, image_size)}
    if patch_size is not None and kind.any_patch:
        arguments["patch_size"] = patch_size
    model = _without_head(name, arguments, more)
    if patch_size not in (None, patch_size_of(model)):
        raise ConfigError(
            f"model.vit_patch_size: the patch of {name} is {patch_size_of(model)} pixels and "
            f"cannot be changed to {patch_size}.",
            fix=f"model.vit_patch_size: null, or a model of timm's {_listed(TIMM_SUPPORTED)}.",
        )
    return model


def _size_arguments(kind: TimmClass, image_size: tuple[int, int] | None) -> JsonObject:
    if not kind.sized:
        return {}
    return dict(kind.any_size) if image_size is None else {"img_size": image_size}


def _without_head(name: str, arguments: JsonObject, more: BackboneArguments) -> nn.Module:
    # global_pool='' leaves out pooling layers that would never get a gradient; the distilled DeiT
    # has none and refuses the argument
    reason = ""
    for pooling in ({"global_pool": ""}, {}):
        try:
            model = built_with(more, name, num_classes=0, **arguments, **pooling)
            class_of(model)
        except (TypeError, AssertionError) as error:
            reason = reason or str(error)
            continue
        except ConfigError:  # of another package, and of a class of its own
            break
        return model
    if more.given():
        raise _not_built_with(name, more, reason)
    raise _not_usable(name)


def _not_built_with(name: str, more: BackboneArguments, reason: str) -> ConfigError:
    return ConfigError(
        f"model.backbone_arguments: timm cannot build {name} with {argument_text(more)}"
        f"{f' ({reason})' if reason else ''}.",
        fix="give arguments that this network has and that go together.",
    )


@dataclass(frozen=True)
class BackboneFacts:
    """What can be known of a timm ViT without its weights.

    Attributes:
        patch_size: edge of a patch, pixels.
        mean: per RGB channel, of intensities in 0..1, as its tag of weights was trained.
        std: likewise.
        tag: of the weights that mean and std belong to: the name's, or else timm's default; empty
            where timm knows none.
    """

    patch_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    tag: str


def inspect_timm(
    name: str, patch_size: int | None = None, more: BackboneArguments = NO_ARGUMENTS
) -> BackboneFacts:
    """Look at a timm ViT without giving it memory.

    Raises:
        ConfigError: as build_timm.
    """
    with torch.device("meta"):
        model = build_timm(name, None, 3, patch_size=patch_size, more=more)
    settings: Any = model.pretrained_cfg
    mean, std = tuple(settings["mean"]), tuple(settings["std"])
    tag = settings.get("tag") or ""
    return BackboneFacts(patch_size_of(model), mean, std, "" if tag == UNTRAINED else tag)


def check_image_size(
    name: str, image_size: tuple[int, int], patch: int, *, key: str = "image_size"
) -> None:
    """Refuse an image size that timm would floor to whole patches without a word.

    Raises:
        ConfigError: an edge is no multiple of the patch.
    """
    if not is_multiple(image_size, patch):
        raise ConfigError(
            f"{key} {list(image_size)} is not a multiple of the patch of {name}, {patch} pixels.",
            fix=f"{key}: {list(nearest_multiple(image_size, patch))}",
        )


def _class_of_known(name: str) -> TimmClass:
    architecture, _, tag = name.partition(".")
    if architecture not in timm.list_models():  # is_model also knows names that timm has given up
        hint = did_you_mean(architecture, timm.list_models("*vit*") + timm.list_models("eva*"))
        raise ConfigError(f"model.backbone: timm has no model '{architecture}'.{hint}")
    tags = [found.partition(".")[2] for found in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise ConfigError(
            f"model.backbone: timm's {architecture} has no weights tagged '{tag}'."
            f"{did_you_mean(tag, tags)} Tags: {', '.join(tags) or 'none'}."
        )
    kind = class_of_name(architecture)
    if kind is None:
        raise _not_usable(name)
    return kind


def _not_usable(name: str) -> ConfigError:
    return ConfigError(
        f"model.backbone: timm's {name} is no plain ViT that works here.",
        fix=f"choose a model of timm's {_listed(TIMM_SUPPORTED)} (all of them work) or of its "
        f"{_listed(TIMM_BEST_EFFORT)} (most do), for example {EXAMPLE}.",
    )


def _listed(modules: tuple[str, ...]) -> str:
    return ", ".join(modules)
