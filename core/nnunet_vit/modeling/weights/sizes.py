"""Tensors that depend on the image's size, the patch or the channels, made to fit."""

import math
import warnings
from pathlib import Path
from typing import Any

from timm.layers import resample_abs_pos_embed, resample_patch_embed, resize_rel_pos_bias_table
from timm.models._manipulate import adapt_input_conv
from torch import Tensor, nn

from nnunet_vit.errors import ModelError

STEM = "patch_embed.proj.weight"
POSITIONS = "pos_embed"
TABLE = "relative_position_bias_table"
RGB = 3


def can_be_resized(name: str, tensor: Tensor, own: Tensor) -> bool:
    """Tell whether a tensor may have another size than the backbone's, to be adapted to it."""
    if name == STEM:
        pixels = own.shape[2:].numel()
        linear = tensor.ndim == 2 and tensor.shape[1] % pixels == 0
        return (linear or tensor.ndim == own.ndim == 4) and tensor.shape[0] == own.shape[0]
    if name == POSITIONS:
        return tensor.ndim == own.ndim == 3 and tensor.shape[-1] == own.shape[-1]
    return name.endswith(TABLE) and tensor.ndim == 2 and tensor.shape[1] == own.shape[1]


def with_own_sizes(tensors: dict[str, Tensor], model: nn.Module, path: Path) -> dict[str, Tensor]:
    """Return the tensors that had to be adapted to the backbone's sizes, and only them.

    Raises:
        ModelError: the file's grid of patches cannot be told, or its channels not be adapted.
    """
    own = model.state_dict()
    adapted = {}
    for name, tensor in tensors.items():
        if name not in own or not can_be_resized(name, tensor, own[name]):
            continue
        fitted = _fitted(name, tensor, model, path)
        if fitted is not tensor:
            adapted[name] = fitted
    return adapted


def class_positions(timm_model: nn.Module) -> int | None:
    """Return how many positions are not those of patches; None: no positions, or no known grid."""
    model: Any = timm_model
    positions = getattr(model, POSITIONS, None)
    if not isinstance(positions, Tensor) or positions.ndim != 3:
        return None
    height, width = model.patch_embed.grid_size
    return positions.shape[1] - int(height * width)


def _fitted(name: str, tensor: Tensor, timm_model: nn.Module, path: Path) -> Tensor:
    model: Any = timm_model
    if name == STEM:
        return _with_patch(_with_channels(tensor, model.patch_embed.proj, path), model)
    if name == POSITIONS:
        return _positions(tensor, model, path)
    return _table(tensor, model.get_submodule(name.removesuffix("." + TABLE)), path)


def _positions(positions: Tensor, model: Any, path: Path) -> Tensor:  # noqa: ANN401
    """Resize by the grids: timm compares counts, and leaves 14 x 14 where 28 x 7 is wanted."""
    height, width = model.patch_embed.grid_size
    prefix = class_positions(model) or 0
    edge = _edge(positions.shape[1] - prefix, height * width, f"{height} x {width} patches", path)
    if edge is None or (edge, edge) == (height, width):
        return positions
    resized: Tensor = resample_abs_pos_embed(
        positions, new_size=[height, width], old_size=[edge, edge], num_prefix_tokens=prefix
    )
    return resized


def _table(table: Tensor, layer: Any, path: Path) -> Tensor:  # noqa: ANN401
    own = layer.relative_position_bias_table
    height, width = (2 * edge - 1 for edge in layer.window_size)
    extra = own.shape[0] - height * width
    edge = _edge(table.shape[0] - extra, height * width, f"{height} x {width} distances", path)
    if edge is None or (edge, edge) == (height, width):
        return table
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm indexes in a way that torch wants to give up
        resized: Tensor = resize_rel_pos_bias_table(table, layer.window_size, own.shape)
    return resized


def _edge(count: int, wanted: int, target: str, path: Path) -> int | None:
    """Return the edge of the square that a file was trained on; None: it has the target's count."""
    edge = math.isqrt(max(count, 0))
    if edge and edge * edge == count:
        return edge
    if count == wanted:
        return None
    raise ModelError(
        f"{path}: its position embeddings are of {count} patches, which is no square, so they "
        f"cannot be resized to {target}.",
        fix="give a file that was trained on square images, or the image size that it was made "
        "for.",
    )


def _with_channels(stem: Tensor, layer: nn.Conv2d, path: Path) -> Tensor:
    channels = layer.in_channels
    if stem.ndim == 2:  # the linear layer of older files
        stem = stem.reshape(stem.shape[0], -1, *layer.weight.shape[2:])
    given = stem.shape[1]
    if given == channels:
        return stem
    if given == 1:
        return stem.repeat(1, channels, 1, 1) / channels
    if given != RGB:
        raise ModelError(
            f"{path} was trained on {given} channels, the images have {channels}; "
            f"weights of 1 or {RGB} channels can be adapted."
        )
    adapted: Tensor = adapt_input_conv(channels, stem)
    return adapted


def _with_patch(stem: Tensor, model: Any) -> Tensor:  # noqa: ANN401
    height, width = model.patch_embed.proj.weight.shape[2:]
    resampled: Tensor = resample_patch_embed(stem, [height, width])
    return resampled
