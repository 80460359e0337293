"""Tensors that depend on the image's size, the patch or the channels, made to fit."""

import warnings
from pathlib import Path
from typing import Any

import torch
from timm.layers import resample_abs_pos_embed, resample_patch_embed, resize_rel_pos_bias_table
from timm.models._manipulate import adapt_input_conv
from torch import Tensor, nn

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights.shapes.grids import FileGrid, Grid

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


def with_own_sizes(
    tensors: dict[str, Tensor], model: nn.Module, path: Path, *, grid: FileGrid | None = None
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the tensors that had to be adapted to the backbone's sizes, and only them.

    Args:
        tensors: of the file, by the backbone's names.
        model: the backbone.
        path: of the file.
        grid: what is known of the file's grid of patches.

    Returns:
        The tensors, and sentences where the file's grid can be read in another way.

    Raises:
        ConfigError: the run says another grid than the file can have.
        ModelError: the file's grid of patches cannot be told, or its channels not be adapted.
    """
    own, known, patch = model.state_dict(), grid or FileGrid(), patch_of(tensors)
    adapted: dict[str, Tensor] = {}
    notes: dict[str, None] = {}
    for name, tensor in tensors.items():
        if name not in own or not can_be_resized(name, tensor, own[name]):
            continue
        fitted, note = _fitted(name, tensor, model, path=path, grid=known, patch=patch)
        if fitted is not tensor:
            adapted[name] = fitted
        if note:
            notes[note] = None
    return adapted, tuple(notes)


def patch_of(tensors: dict[str, Tensor]) -> Grid | None:
    """Return the patch of a file, pixels; None: its stem does not show it."""
    stem = tensors.get(STEM)
    return (stem.shape[2], stem.shape[3]) if stem is not None and stem.ndim == 4 else None


def class_positions(timm_model: nn.Module) -> int | None:
    """Return how many positions are not those of patches; None: no positions, or no known grid."""
    model: Any = timm_model
    positions = getattr(model, POSITIONS, None)
    if not isinstance(positions, Tensor) or positions.ndim != 3:
        return None
    height, width = model.patch_embed.grid_size
    return positions.shape[1] - int(height * width)


def _fitted(
    name: str,
    tensor: Tensor,
    timm_model: nn.Module,
    *,
    path: Path,
    grid: FileGrid,
    patch: tuple[int, int] | None,
) -> tuple[Tensor, str]:
    model: Any = timm_model
    if name == STEM:
        return _with_patch(_with_channels(tensor, model.patch_embed.proj, path), model), ""
    if name == POSITIONS:
        own = tuple(model.patch_embed.grid_size)
        prefix = class_positions(model) or 0
        there, note = grid.read(tensor.shape[1] - prefix, own, patch, path)
        return _positions(tensor, there, own, prefix=prefix), note
    return _table(
        tensor, model.get_submodule(name.removesuffix("." + TABLE)), path, grid=grid, patch=patch
    )


def _positions(positions: Tensor, there: Grid, own: Grid, *, prefix: int) -> Tensor:
    """Resize by the grids: timm compares counts, and leaves 14 x 14 where 28 x 7 is wanted."""
    if there == own:
        return positions
    resized: Tensor = resample_abs_pos_embed(
        positions, new_size=list(own), old_size=list(there), num_prefix_tokens=prefix
    )
    return resized


def _table(
    table: Tensor,
    layer: Any,  # noqa: ANN401
    path: Path,
    *,
    grid: FileGrid,
    patch: tuple[int, int] | None,
) -> tuple[Tensor, str]:
    """Resize a table of (2 H - 1) x (2 W - 1) distances, and some for the class token."""
    own: Grid = tuple(layer.window_size)
    mine = layer.relative_position_bias_table
    extra = mine.shape[0] - _distances(own)
    there, note = grid.read_distances(table.shape[0] - extra, own, patch, path=path)
    if there == own:
        return table, note
    rows, columns = (2 * edge - 1 for edge in there)
    heads, inner = table.shape[1], table[: rows * columns]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # timm indexes in a way that torch wants to give up
        resized: Tensor = resize_rel_pos_bias_table(
            inner.T.reshape(heads, rows, columns),
            own,
            (heads, 2 * own[0] - 1, 2 * own[1] - 1),
        )
    return torch.cat([resized.reshape(heads, -1).T, table[rows * columns :]]), note


def _distances(grid: Grid) -> int:
    return (2 * grid[0] - 1) * (2 * grid[1] - 1)


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
