"""What a patch says stands where the patch is: how tests of decoders look at it.

All of them take a head on `nnunet_vit.testing.maps.SetMaps` with four channels, in prediction.
"""

from typing import cast

import torch
from torch import Tensor, nn

from nnunet_vit.testing.checks.alignment import beside, centre_of
from nnunet_vit.testing.maps import SetMaps

FEATURES = torch.tensor([3.0, -1.0, 2.0, 0.5])
Place = tuple[int, int]


def passing_on(model: nn.Module, scale: float = 1.0) -> nn.Module:
    """Let convolutions pass on what they see, without a shift of their own.

    A convolution looks at its middle alone; a transposed one says the same at each of its pixels.
    """
    for module in model.modules():
        if isinstance(module, nn.ConvTranspose2d):
            module.weight.data[:] = module.weight.data[..., :1, :1]
        elif isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
            row, column = (edge // 2 for edge in module.kernel_size)
            nn.init.zeros_(module.weight)
            nn.init.normal_(module.weight[:, :, row, column], std=scale)
    return model.eval()


def backbone_of(model: nn.Module) -> SetMaps:
    """Return the head's backbone."""
    return cast(SetMaps, model.backbone)


def blank(model: nn.Module) -> Tensor:
    """Return an image of zeros (1, 3, H, W) of the backbone's grid."""
    backbone = backbone_of(model)
    return torch.zeros(1, 3, *(edge * backbone.patch_size for edge in backbone.maps.shape[-2:]))


@torch.no_grad()
def centres_of_patch(model: nn.Module, place: Place, edge: int = 1) -> list[list[float]]:
    """Return, for each level of logits, where patches (row, column) with features show.

    Args:
        model: the head.
        place: row and column of the first patch.
        edge: patches in each direction.
    """
    maps = backbone_of(model).maps
    rows, columns = (slice(index, index + edge) for index in place)
    maps[:, :, rows, columns] = FEATURES[:, None, None]
    output = model(blank(model))
    levels = output if isinstance(output, list) else [output]
    return [centre_of(beside(logits), logits.shape[-1] / maps.shape[-1]) for logits in levels]


@torch.no_grad()
def response_to_pixel(model: nn.Module, place: Place) -> Tensor:
    """Return where a bright pixel shows (H, W), with features that say nothing."""
    images = blank(model)
    images[:, :, place[0], place[1]] = 5
    return beside(model(images))


def centre_of_pixel(model: nn.Module, place: Place) -> list[float]:
    """Return the row and column of pixels at whose middle a bright pixel shows."""
    return centre_of(response_to_pixel(model, place), 1)


@torch.no_grad()
def line_across(model: nn.Module, column: int) -> Tensor:
    """Return a row of logits (W,) in the middle of an image whose features turn at a column."""
    maps = backbone_of(model).maps
    maps[..., :column] = FEATURES[None, :, None, None]
    maps[..., column:] = -FEATURES[None, :, None, None]
    logits: Tensor = model(blank(model))
    return logits[0, 0, logits.shape[-2] // 2]


def middle_of_slope(line: Tensor) -> float:
    """Return between which pixels a row of logits changes, by the centre of all changes."""
    slope = line.diff().abs()
    return ((slope * torch.arange(1, len(slope) + 1)).sum() / slope.sum()).item()


def turning_point(line: Tensor, patch: int) -> int:
    """Return the first pixel of a row of logits that is nearer to its end than to its beginning."""
    left, right = line[patch // 2], line[-patch // 2]
    return int(((line - left).abs() > (line - right).abs()).nonzero()[0])


@torch.no_grad()
def plain_and_mirrored(model: nn.Module) -> tuple[Tensor, Tensor]:
    """Return logits, and those of mirrored image and features, mirrored back."""
    torch.manual_seed(4)
    backbone = backbone_of(model)
    images = torch.randn_like(blank(model))
    backbone.maps = torch.randn_like(backbone.maps)
    plain = model(images)
    backbone.maps = backbone.maps.flip(-1)
    return plain, model(images.flip(-1)).flip(-1)


@torch.no_grad()
def centre_with_random_weights(model: nn.Module, place: Place) -> list[float]:
    """Return where a patch (row, column) with features shows, beside what is there without it."""
    patch, images = backbone_of(model).patch_size, blank(model)
    background = model(images)
    backbone_of(model).maps[:, :, place[0], place[1]] = FEATURES
    response = (model(images) - background)[0].abs().sum(dim=0)
    margin = patch * 3 // 2
    inner = response[margin:-margin, margin:-margin]  # zero padding speaks up along the border
    inner = (inner - inner.median()).clamp(min=0)
    return [index + margin / patch for index in centre_of(inner, patch)]
