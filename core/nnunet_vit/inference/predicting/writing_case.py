"""The files of a predicted case, in a folder where they lie until they are whole."""

from pathlib import Path

import torch
from nnunetv2.inference.export_prediction import export_prediction_from_logits

from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.predicting.prepared_case import PreparedCase, mask_of

BESIDE = (".npz", ".pkl", ".json")  # .json: nnU-Net's, for the spacing of a TIFF


def write_case(
    case: PreparedCase,
    logits: torch.Tensor,
    model: LoadedModel,
    *,
    staged: Path,
    probabilities: bool,
) -> list[str]:
    """Write the mask of a case, and its probabilities where they are wanted.

    Args:
        case: that was predicted.
        logits: (outputs, Z, Y, X) of the prepared image.
        model: that predicted it.
        staged: the folder to write to.
        probabilities: write CASE.npz and CASE.pkl too, as nnU-Net does.

    Returns:
        The names of the files, the mask last: one that is there has all that belongs to it.
    """
    mask = f"{case.name}{model.ending}"
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
        writer.write_seg(mask_of(case, logits, model), str(staged / mask), case.properties)
    names = [f"{case.name}{end}" for end in BESIDE]
    return [*(name for name in names if (staged / name).is_file()), mask]
