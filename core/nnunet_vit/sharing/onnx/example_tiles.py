"""Tiles to try a network on: noise, and a drawn picture that a model's own rules prepare."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from nnunet_vit.errors import DataError, message_of
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.sample.fundus import fundus_image

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

SEED = 0


def noise_tiles(model: LoadedModel, count: int) -> Tensor:
    """Return normal noise (count, C, H, W), always the same."""
    generator = torch.Generator().manual_seed(SEED)
    shape = (count, _channels(model), *model.configuration.patch_size)
    return torch.randn(shape, generator=generator)


def drawn_tiles(model: LoadedModel, count: int) -> Tensor:
    """Return pictures of eyes (count, C, H, W), normalized as the model's images are."""
    return torch.stack([prepared_tile(model, drawn_tile(model, seed)) for seed in range(count)])


def drawn_tile(model: LoadedModel, seed: int = SEED) -> "Array":
    """Return a drawn picture (C, H, W) of the size of a tile, 0 to 255, float32."""
    height, width = model.configuration.patch_size
    picture, _ = fundus_image(np.random.default_rng(seed), max(height, width))
    channels = [picture[:height, :width, channel % 3] for channel in range(_channels(model))]
    return np.stack(channels).astype(np.float32)


def given_tile(model: LoadedModel, files: Sequence[Path]) -> "Array":
    """Return the middle of an image (C, H, W), of the size of a tile, float32.

    Args:
        model: whose reader reads it.
        files: of one image; one per channel, or a picture that has all of them.

    Raises:
        DataError: they cannot be read, or the image is smaller than a tile or of other channels.
    """
    height, width = model.configuration.patch_size
    name = ", ".join(map(str, files))
    try:
        volume, _ = model.plans.image_reader_writer_class().read_images([str(f) for f in files])
    except Exception as error:  # each reader has its own
        raise DataError(f"{name} cannot be read: {message_of(error, 200)}.") from error
    planes = volume.transpose([0, *(axis + 1 for axis in model.plans.transpose_forward)])
    plane = planes[:, planes.shape[1] // 2]
    channels, rows, columns = plane.shape
    if channels != _channels(model) or rows < height or columns < width:
        raise DataError(
            f"{name}: {channels} channels of {rows} x {columns} pixels; needed: {_channels(model)} "
            f"of {height} x {width} at least.",
            fix="another image, or none: one is drawn.",
        )
    top, left = (rows - height) // 2, (columns - width) // 2
    return np.asarray(plane[:, top : top + height, left : left + width], dtype=np.float32)


def prepared_tile(model: LoadedModel, tile: "Array") -> Tensor:
    """Return a tile (C, H, W) normalized as nnU-Net normalizes an image that is no larger."""
    configuration = model.configuration
    spacing = [999.0, *configuration.spacing]  # the plans' own: nothing is resampled
    preprocessor = configuration.preprocessor_class(verbose=False)
    values, _, _ = preprocessor.run_case_npy(
        _untransposed(model, tile[:, None]),
        None,
        {"spacing": [spacing[axis] for axis in model.plans.transpose_backward]},
        model.plans,
        configuration,
        model.description,
    )
    found = torch.zeros(tile.shape)
    inner = torch.from_numpy(values[:, 0])  # without empty borders, which are cropped
    found[:, : inner.shape[1], : inner.shape[2]] = inner
    return found


def _untransposed(model: LoadedModel, image: "Array") -> "Array":
    return image.transpose([0, *(axis + 1 for axis in model.plans.transpose_backward)])


def _channels(model: LoadedModel) -> int:
    return len(model.description["channel_names"])
