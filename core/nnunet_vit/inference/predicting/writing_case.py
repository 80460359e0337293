"""A predicted case on disk: whole, or not at all."""

import os
from collections.abc import Iterator
from pathlib import Path

import torch
from nnunetv2.inference.export_prediction import export_prediction_from_logits

from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.predicting.prepared_case import PreparedCase, mask_of


def write_case(
    case: PreparedCase,
    logits: torch.Tensor,
    model: LoadedModel,
    *,
    masks: Path,
    staged: Path,
    probabilities: bool,
) -> None:
    """Write the mask of a case, and its probabilities where they are wanted.

    Args:
        case: that was predicted.
        logits: (outputs, Z, Y, X) of the prepared image.
        model: that predicted it.
        masks: the folder to write to.
        staged: a folder on the same disk, where files lie until they are whole.
        probabilities: write CASE.npz and CASE.pkl too, as nnU-Net does.
    """
    ending = model.ending
    if probabilities:
        export_prediction_from_logits(
            logits,
            case.properties,
            model.configuration,
            model.plans,
            model.description,
            str(staged / case.name),
            True,
            num_threads_torch=torch.get_num_threads(),
        )
    else:
        writer = model.plans.image_reader_writer_class()
        file = str(staged / f"{case.name}{ending}")
        writer.write_seg(mask_of(case, logits, model), file, case.properties)
    for written in _mask_last(staged, case.name, ending):
        os.replace(written, masks / written.name)


def _mask_last(staged: Path, name: str, ending: str) -> Iterator[Path]:
    """Yield what nnU-Net wrote of a case: a mask that is there has all that belongs to it."""
    mask = f"{name}{ending}"
    for end in (".npz", ".pkl", ".json"):  # .json: the spacing of a TIFF
        if (staged / f"{name}{end}").is_file():
            yield staged / f"{name}{end}"
    yield staged / mask
