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


def prepared(name: str, files: Sequence[Path], model: LoadedModel) -> PreparedCase:
    """Return a case as the network takes it."""
    preprocessor = model.configuration.preprocessor_class(verbose=False)
    image, _, properties = preprocessor.run_case(
        [str(file) for file in files], None, model.plans, model.configuration, model.description
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
    values = np.uint8 if len(labels.foreground_labels) < 255 else np.uint16
    inner = np.zeros(known["shape_after_cropping_and_before_resampling"], dtype=values)
    decided(outputs, labels, inner)
    whole = np.zeros(known["shape_before_cropping"], dtype=values)
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
    _, values = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits,
        model.plans,
        model.configuration,
        model.labels,
        case.properties,
        return_probabilities=True,
        num_threads_torch=torch.get_num_threads(),
    )
    found: Array = values
    return found


def _resampled(logits: torch.Tensor, known: JsonObject, model: LoadedModel) -> torch.Tensor:
    """Return logits (1, Z, Y, X) of a prepared image in the size that it had, in float32."""
    size = known["shape_after_cropping_and_before_resampling"]
    spacing = [known["spacing"][axis] for axis in model.plans.transpose_forward]
    own = list(model.configuration.spacing)
    planes = spacing[: len(spacing) - len(own)]  # of 2D tiles: planes are as they were
    found = model.configuration.resampling_fn_probabilities(logits, size, [*planes, *own], spacing)
    return torch.as_tensor(found)[0].float()
