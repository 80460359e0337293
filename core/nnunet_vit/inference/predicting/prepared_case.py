"""A case on its way to a mask: its image as the network takes it, and its mask as it was read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from nnunetv2.inference.export_prediction import (
    convert_predicted_logits_to_segmentation_with_correct_shape,
)

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.loaded_model import LoadedModel

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

    from nnunet_vit.files.array_type import Array


@dataclass(frozen=True)
class PreparedCase:
    """A case that nnU-Net's preprocessor has cropped, normalized and resampled.

    Attributes:
        name: of the case.
        image: (C, Z, Y, X).
        properties: what the preprocessor and the reader know of it.
    """

    name: str
    image: torch.Tensor
    properties: JsonObject


def prepared(
    name: str,
    files: Sequence[Path],
    model: LoadedModel,
    reader: "type[BaseReaderWriter] | None" = None,
) -> PreparedCase:
    """Return a case as the network takes it.

    Args:
        name: of the case.
        files: of its channels, in order.
        model: that will predict it.
        reader: of the files; None: the model's own.
    """
    preprocessor = model.configuration.preprocessor_class(verbose=False)
    opened = (reader or model.plans.image_reader_writer_class)()
    values, known = opened.read_images([str(file) for file in files])
    image, _, properties = preprocessor.run_case_npy(
        values, None, known, model.plans, model.configuration, model.description
    )
    return PreparedCase(name, torch.from_numpy(image), properties)


def mask_of(case: PreparedCase, logits: torch.Tensor, model: LoadedModel) -> "Array":
    """Return the mask of a case in the size in which nnU-Net read it.

    Outputs are resampled one after the other: all of them are never in memory twice.

    Args:
        case: that was predicted.
        logits: (outputs, Z, Y, X) of the prepared image.
        model: that predicted it.
    """
    known, labels = case.properties, model.labels
    outputs = (_resampled(one[None], known, model) for one in logits)
    size = known["shape_after_cropping_and_before_resampling"]
    inner = np.zeros(size, dtype=values_of_masks(labels))
    decided(outputs, labels, inner)
    return _whole(inner, known, model)


def values_of_masks(labels: "LabelManager") -> "np.dtype[np.generic]":
    """Return the type of the values in masks, nnU-Net's."""
    return np.dtype(np.uint8 if len(labels.foreground_labels) < 255 else np.uint16)


def map_of(case: PreparedCase, values: torch.Tensor, model: LoadedModel) -> "Array":
    """Return a map of a prepared image, (Z, Y, X) from 0 to 1, in the size of its mask.

    What nnU-Net has cut off is background for certain: 0.
    """
    inner = _resampled(values[None], case.properties, model).clamp(0, 1)
    return _whole(inner.numpy(), case.properties, model)


def _whole(inner: "Array", known: JsonObject, model: LoadedModel) -> "Array":
    whole = np.zeros(known["shape_before_cropping"], dtype=inner.dtype)
    whole[tuple(slice(*ends) for ends in known["bbox_used_for_cropping"])] = inner
    turned: Array = whole.transpose(model.plans.transpose_backward)
    return turned


def decided(outputs: Iterable[torch.Tensor], labels: "LabelManager", mask: "Array") -> None:
    """Write the label of each pixel into a mask that is 0.

    Args:
        outputs: logits in float32, one output after the other, each of the mask's shape.
        labels: of the model.
        mask: to fill.
    """
    each = iter(outputs)
    if labels.has_regions:
        for label, output in zip(labels.regions_class_order, each, strict=True):
            mask[torch.sigmoid(output).numpy() > 0.5] = label
    else:
        highest = next(each)
        for label, output in enumerate(each, start=1):
            mask[(output > highest).numpy()] = label
            highest = torch.maximum(highest, output)


def probabilities_of(case: PreparedCase, logits: torch.Tensor, model: LoadedModel) -> "Array":
    """Return the probabilities (outputs, ...) of a case in the size in which nnU-Net read it.

    Args:
        case: that was predicted.
        logits: (outputs, Z, Y, X) of the prepared image.
        model: that predicted it.
    """
    return mask_and_probabilities(case, logits, model)[1]


def mask_and_probabilities(
    case: PreparedCase, logits: torch.Tensor, model: LoadedModel
) -> "tuple[Array, Array]":
    """Return the mask of a case and the probabilities (outputs, ...) that nnU-Net makes it of.

    Args:
        case: that was predicted.
        logits: (outputs, Z, Y, X) of the prepared image.
        model: that predicted it.
    """
    found: tuple[Array, Array] = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits,
        model.plans,
        model.configuration,
        model.labels,
        case.properties,
        return_probabilities=True,
        num_threads_torch=torch.get_num_threads(),
    )
    return found


def _resampled(logits: torch.Tensor, known: JsonObject, model: LoadedModel) -> torch.Tensor:
    """Return logits (1, Z, Y, X) of a prepared image in the size that it had, in float32."""
    size = known["shape_after_cropping_and_before_resampling"]
    spacing = [known["spacing"][axis] for axis in model.plans.transpose_forward]
    own = list(model.configuration.spacing)
    planes = spacing[: len(spacing) - len(own)]  # of 2D tiles: planes are as they were
    found = model.configuration.resampling_fn_probabilities(logits, size, [*planes, *own], spacing)
    return torch.as_tensor(found)[0].float()
