"""Arrays for a trained model: looked at as the images of files are, before memory is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from nnunet_vit.data.checks.image_values import out_of_range
from nnunet_vit.data.checks.raster_reading import PICTURES
from nnunet_vit.data.checks.sampling import size_fault, target_of
from nnunet_vit.errors import DataError, counted, first_line
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.quantities import shape_text, sizes_text

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


@dataclass(frozen=True)
class ArrayInput:
    """An image as nnU-Net's readers give it.

    Attributes:
        values: (C, Z, Y, X).
        spacing: (Z, Y, X); 999 between planes that have none.
        flat: whether it came without Z.
    """

    values: "Array"
    spacing: tuple[float, ...]
    flat: bool


def array_input(
    image: "Array | torch.Tensor",
    spacing: Sequence[float] | None,
    model: LoadedModel,
    channels: Sequence[str],
) -> ArrayInput:
    """Return an image as the model takes it.

    Args:
        image: (channels, Y, X) or (channels, Z, Y, X); one channel may be left out: (Y, X).
        spacing: of (Y, X) or (Z, Y, X); None: 1.
        model: that it is for.
        channels: of the model, by name.

    Raises:
        DataError: it is nothing that the model can predict.
    """
    values = _numbers(image)
    if values.ndim == 2 and len(channels) == 1:
        values = values[None]
    _check_shape(values, channels)
    flat = values.ndim == 3
    values = values[:, None] if flat else values
    sizes = _spacing_of(spacing, flat, model)
    if model.plans.plans["image_reader_writer"] == PICTURES:
        _check_picture(values, sizes)
    _check_size(values, sizes, model)
    _check_values(values, model)
    return ArrayInput(values, sizes, flat)


def _numbers(image: "Array | torch.Tensor") -> "Array":
    """Return the array of what is given; numpy has no bfloat16 and takes no gradients.

    Raises:
        DataError: it is no array of real numbers.
    """
    try:
        if isinstance(image, torch.Tensor):
            own = image.detach().cpu()
            image = (own.float() if own.dtype == torch.bfloat16 else own).numpy()
        values = np.asanyarray(image)
    except (ValueError, TypeError, RuntimeError) as error:  # ragged, sparse, without data
        raise DataError(
            f"An image that is no array: {first_line(error, 160)}.", fix="an array of real numbers"
        ) from error
    if np.ma.is_masked(values):
        raise DataError("An array with masked values.", fix="image.filled(0), or another value")
    if values.dtype == bool:
        raise DataError("An image of bool; needed: numbers.", fix="image.astype(numpy.uint8)")
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise DataError(
            f"An image of {values.dtype}; needed: real numbers.", fix="an array of real numbers"
        )
    return np.asarray(values)


def _check_shape(values: "Array", channels: Sequence[str]) -> None:
    wanted = len(channels)
    if values.ndim in (3, 4) and len(values) == wanted and values.size:
        return
    fix = "the shape that is needed"
    if values.ndim in (3, 4) and values.shape[-1] == wanted:
        fix = "channels come first: numpy.moveaxis(image, -1, 0)"
    elif values.ndim == 3 and wanted == 1:
        fix = "image[None] of a volume; a grey picture has one channel"
    raise DataError(
        f"An image of shape {values.shape}; needed: (channels, Y, X) or (channels, Z, Y, X) with "
        f"{wanted} of them, {', '.join(channels)}.",
        fix,
    )


def _spacing_of(
    spacing: Sequence[float] | None, flat: bool, model: LoadedModel
) -> tuple[float, ...]:
    """Return the spacing (Z, Y, X) as nnU-Net's readers give it; pictures have 999 between."""
    trained = [float(size) for size in model.configuration.spacing]
    axes, names = (2, "(Y, X)") if flat else (3, "(Z, Y, X)")
    if spacing is None and any(size != 1 for size in trained):
        raise DataError(
            f"spacing is not given, and the model resamples to {sizes_text(trained)} mm.",
            fix=f"spacing={names} of the image, in mm",
        )
    try:
        own = (1.0,) * axes if spacing is None else tuple(float(size) for size in spacing)
    except (TypeError, ValueError):
        own = ()
    if len(own) != axes or not all(0 < size < np.inf for size in own):
        raise DataError(
            f"spacing {spacing}; needed: {axes} numbers greater than 0, {names}.",
            fix=f"spacing={names} of the image, in mm",
        )
    return (999.0, *own) if flat else own


def _check_picture(values: "Array", spacing: Sequence[float]) -> None:
    """Refuse what a model of pictures has not seen: a stack, or a spacing."""
    if values.shape[1] > 1:
        raise DataError(
            f"A stack of {counted(values.shape[1], 'plane')}; the model was trained on pictures.",
            fix="predict plane by plane, image[:, 0] and so on",
        )
    if any(size != 1 for size in spacing[1:]):
        raise DataError(
            f"spacing {sizes_text(spacing[1:])}; the model was trained on pictures, which have "
            "none, and it would resample the image.",
            fix="leave spacing out; resample the image beforehand if pixels differ in size",
        )


def _check_size(values: "Array", spacing: tuple[float, ...], model: LoadedModel) -> None:
    outputs = model.labels.num_segmentation_heads
    target = target_of(model.plans.plans, model.configuration.spacing, len(values), outputs=outputs)
    shape = values.shape[1:]
    problem, fix = size_fault(shape, spacing, target)
    if problem:
        raise DataError(f"An image of {shape_text(shape)} {problem}.", fix)


def _check_values(values: "Array", model: LoadedModel) -> None:
    with np.errstate(over="ignore"):
        single = values.astype(np.float32, copy=False)  # as nnU-Net computes with them
    if not np.isfinite(single).all():
        raise DataError("An image with values that are not finite.", fix="numpy.nan_to_num(image)")
    problem, fix = out_of_range(values, model.configuration.normalization_schemes)
    if problem:
        raise DataError(f"An image that {problem}.", fix)
