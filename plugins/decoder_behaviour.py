"""What decoders of this repository are tested on alike, beyond the contract of heads."""

from typing import Literal, cast

import timm
import torch
from torch import Tensor, nn

from nnunet_vit.modeling.backbone import ViTBackbone
from nnunet_vit.testing.maps import GivenMaps, Maps

Levels = Tensor | list[Tensor]
# the last block of each quarter of a ViT's depth, by depth
QUARTERS = {
    24: [5, 11, 17, 23],
    12: [2, 5, 8, 11],
    6: [0, 2, 3, 5],
    3: [0, 0, 1, 2],
    1: [0, 0, 0, 0],
}
DROPOUT_OF_1 = ("dropout: 1", "dropout: given 1; allowed: a number of at least 0 and less than 1")


def beyond(name: str, least: int, most: int) -> list[tuple[str, str]]:
    """Return lines below and above the bounds of an option, each with what is said of it."""
    allowed = f"allowed: an integer from {least} to {most}"
    return [
        (f"{name}: {value}", f"{name}: given {value}; {allowed}") for value in (least - 1, most + 1)
    ]


def misspelt(name: str, meant: str, allowed: str) -> tuple[str, str]:
    """Return a line with an option of another name, and what is said of it."""
    hint = f"Did you mean '{meant}'? Allowed: {allowed}"
    return f"{name}: 64", f"{name}: unknown key, given '{name}'. {hint}"


def squares(output: Levels) -> Tensor:
    """Return the sum of the mean squares of logits, or of each level's."""
    levels = output if isinstance(output, list) else [output]
    return torch.stack([level.square().mean() for level in levels]).sum()


def unlearned(model: nn.Module, loss: Tensor) -> tuple[list[str], list[str]]:
    """Return the parameters that get no gradient of a loss, and those that get one of 0."""
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {name: value.grad for name, value in model.named_parameters()}
    return (
        [name for name, gradient in gradients.items() if gradient is None],
        [
            name
            for name, gradient in gradients.items()
            if gradient is not None and not gradient.any()
        ],
    )


def widths_on_one_patch(model: nn.Module) -> list[int]:
    """Return the width of each level in training on an image of 16 x 16 pixels: all is finite."""
    levels: list[Tensor] = model.train()(torch.randn(1, 3, 16, 16))
    assert all(bool(torch.isfinite(level).all()) for level in levels)
    return [level.shape[-1] for level in levels]


def shape_of_logits(model: nn.Module, channels: int = 3) -> tuple[int, ...]:
    """Return the logits' shape for two images of 2 x 3 patches."""
    patch = cast(Maps, model.backbone).patch_size
    return tuple(model(torch.randn(2, channels, 2 * patch, 3 * patch)).shape)


@torch.no_grad()
def together_and_alone(model: nn.Module) -> tuple[Tensor, Tensor]:
    """Return the logits of the first of two images, and those of that image alone."""
    images = torch.randn(2, 3, 32, 48)
    return model(images)[:1], model(images[:1])


def drops_in_training_alone(model: nn.Module) -> bool:
    """Tell whether two passes differ in training, and in prediction do not."""
    images = torch.randn(1, 3, 32, 48)
    varies = not torch.equal(model.train()(images), model(images))
    return varies and torch.equal(model.eval()(images), model(images))


@torch.no_grad()
def in_precision(
    model: nn.Module, images: Tensor, precision: torch.dtype = torch.float16
) -> list[Tensor]:
    """Return the logits of each level, computed in that precision."""
    with torch.autocast("cpu", precision):
        output = model.eval()(images)
    return output if isinstance(output, list) else [output]


@torch.no_grad()
def effects_of_maps(model: nn.Module, images: Tensor) -> list[float]:
    """Return by how much logits change with the sign of each of the given maps, one by one."""
    maps = cast(GivenMaps, model.backbone).maps
    before, changes = model(images), []
    for level, kept in enumerate(maps):
        maps[level] = -kept
        changes.append((model(images) - before).abs().max().item())
        maps[level] = kept
    return changes


@torch.no_grad()
def shapes_of_levels(deep: nn.Module, plain: nn.Module, images: Tensor) -> list[tuple[int, ...]]:
    """Return the shapes of a head's levels, whose finest and parameters are those of the plain."""
    assert deep.state_dict().keys() == plain.state_dict().keys()
    levels = deep.eval()(images)
    assert torch.equal(levels[0], plain.eval()(images))
    return [tuple(level.shape) for level in levels]


NotByBlocks = Literal["samvit_base_patch16", "xcit_nano_12_p16_224"]
NOT_BY_BLOCKS: tuple[NotByBlocks, ...] = ("samvit_base_patch16", "xcit_nano_12_p16_224")


def not_by_blocks(name: NotByBlocks) -> ViTBackbone:
    """Return a small ViT whose blocks cannot be run one by one."""
    return ViTBackbone(timm.create_model(name, embed_dim=32, depth=2, num_heads=2, img_size=64))
