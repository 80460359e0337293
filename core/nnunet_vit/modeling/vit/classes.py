"""How timm's classes of ViTs are built, and asked for their maps: they differ in small things."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from timm.layers import HybridEmbed
from timm.models import model_entrypoint
from torch import Tensor, nn

from nnunet_vit.backbones import TIMM_SUPPORTED
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonMapping

TIMM_MODULES = "timm.models."


@dataclass(frozen=True)
class TimmClass:
    """The ViTs of one of timm's modules.

    Attributes:
        module: of timm.models.
        sized: whether they are built for one image size; else they take any at run time.
        any_size: arguments with which those that are sized take any multiple of their patch.
        stem: name of the part that cuts the image into patches.
        norm: whether the last norm is applied to maps: not where it comes after further blocks or
            changes the number of channels.
        any_patch: whether the edge of the patches can be changed, the weights with it.
        any_channels: whether weights of RGB images can be adapted to other numbers of channels.
        prefix: whether class token and registers, if any, go through the blocks: XCiT's class token
            comes after those that the maps are of, though newer versions of timm count it.
    """

    module: str
    sized: bool = True
    any_size: JsonMapping = field(default_factory=dict)
    stem: str = "patch_embed"
    norm: bool = True
    any_patch: bool = False
    any_channels: bool = True
    prefix: bool = True

    @property
    def supported(self) -> bool:
        """Whether every model works, rather than most of them."""
        return self.module in TIMM_SUPPORTED


_DYNAMIC = MappingProxyType({"dynamic_img_size": True})
PLAIN = TimmClass("vision_transformer", any_size=_DYNAMIC, any_patch=True)
CLASSES = {
    kind.module: kind
    for kind in (
        PLAIN,
        TimmClass("eva", any_size=_DYNAMIC, any_patch=True),
        TimmClass("deit", any_size=_DYNAMIC, any_patch=True),
        TimmClass("beit", any_patch=True),
        TimmClass("vision_transformer_relpos"),
        # their position embeddings keep the pretrained size and are resized in each pass
        TimmClass("naflexvit", sized=False, stem="embeds", any_channels=False),
        TimmClass("vision_transformer_sam", sized=False, norm=False),
        TimmClass("xcit", norm=False, any_channels=False, prefix=False),
    )
}


def class_of_name(architecture: str) -> TimmClass | None:
    """Return the class that a timm name will be built with; None: no ViT that works here.

    A model that another package has registered with timm is taken for a plain one: once it is
    built, its own class tells.
    """
    module: str = model_entrypoint(architecture).__module__
    if not module.startswith(TIMM_MODULES):
        return PLAIN
    return CLASSES.get(module.removeprefix(TIMM_MODULES))


def class_of(model: nn.Module) -> TimmClass:
    """Return what is known of a built model's class.

    Raises:
        ConfigError: it is none of the ViTs that work here.
    """
    modules = [kind.__module__.removeprefix(TIMM_MODULES) for kind in type(model).__mro__]
    found = next((CLASSES[module] for module in modules if module in CLASSES), None)
    if found is None or isinstance(getattr(model, found.stem), HybridEmbed):
        raise ConfigError(
            f"{type(model).__name__} is no plain ViT that works here.",
            fix=f"a model of timm's {', '.join(CLASSES)}.",
        )
    return found


def patch_size_of(model: nn.Module) -> int:
    """Return the edge of the ViT's patches in pixels.

    Raises:
        ConfigError: it is none of the ViTs that work here.
    """
    size = getattr(model, class_of(model).stem).patch_size
    return int(size[0]) if isinstance(size, tuple) else int(size)


def prefix_tokens_of(model: nn.Module) -> int:
    """Return the number of tokens that stand for no patch: class token, registers."""
    return int(getattr(model, "num_prefix_tokens", 0)) if class_of(model).prefix else 0


def maps_of(model: nn.Module, images: Tensor, blocks: list[int]) -> list[Tensor]:
    """Return the maps of some blocks, in ascending order, without what follows the last of them.

    Shapes: images (B, C, H, W) to maps (B, embed_dim, H / patch_size, W / patch_size).
    """
    maps: list[Tensor] = _intermediates(model, images, blocks)
    return maps


def maps_and_prefix_of(
    model: nn.Module, images: Tensor, blocks: list[int]
) -> list[tuple[Tensor, Tensor]]:
    """Return the maps of some blocks, in ascending order, each with its prefix tokens.

    Shapes: maps as maps_of; prefix tokens (B, prefix_tokens, embed_dim), possibly none.
    """
    if prefix_tokens_of(model):
        return list(_intermediates(model, images, blocks, return_prefix_tokens=True))
    # without such tokens some of timm's classes fail on the argument, others lack it
    maps = maps_of(model, images, blocks)
    return [
        (features, features.new_zeros(features.shape[0], 0, features.shape[1])) for features in maps
    ]


def _intermediates(model: nn.Module, images: Tensor, blocks: list[int], **more: bool) -> Any:  # noqa: ANN401
    return model.forward_intermediates(  # type: ignore[operator]
        images,
        indices=blocks,
        norm=class_of(model).norm,
        stop_early=True,
        output_fmt="NCHW",
        intermediates_only=True,
        **more,
    )
