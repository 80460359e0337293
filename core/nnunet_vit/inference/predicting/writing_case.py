"""The files of a predicted case, in a folder where they lie until they are whole."""

from pathlib import Path

import torch
from batchgenerators.utilities.file_and_folder_operations import save_pickle

from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs
from nnunet_vit.inference.outputs.components import cleaned
from nnunet_vit.inference.outputs.float_image import write_image
from nnunet_vit.inference.outputs.probability_image import keep_probabilities
from nnunet_vit.inference.predicting.prepared_case import (
    PreparedCase,
    map_of,
    mask_and_probabilities,
    mask_of,
)
from nnunet_vit.inference.prediction_options import NPZ

SPACING = ".json"  # nnU-Net writes it beside the mask of a stack of slices


def write_case(
    case: PreparedCase,
    logits: torch.Tensor,
    model: LoadedModel,
    *,
    staged: Path,
    outputs: CaseOutputs,
) -> list[str]:
    """Write the mask of a case, and what is wanted beside it.

    Args:
        case: that was predicted.
        logits: (outputs, Z, Y, X) of the prepared image; then the maps of uncertainty, where these
            are wanted.
        model: that predicted it.
        staged: the folder to write to.
        outputs: names the files.

    Returns:
        The names of the files, the mask last: one that is there has all that belongs to it.
    """
    count, names = model.labels.num_segmentation_heads, outputs.names(case.name)
    if outputs.options.probabilities:
        mask, probabilities = mask_and_probabilities(case, logits[:count], model)
        keep_probabilities(
            probabilities, case.name, staged,
            outputs=outputs, properties=case.properties, description=model.description,
        )  # fmt: skip
        if outputs.options.probabilities_format == NPZ:
            save_pickle(case.properties, str(staged / f"{case.name}.pkl"))
    else:
        mask = mask_of(case, logits[:count], model)
    for name, values in zip(outputs.uncertainty(case.name), logits[count:], strict=False):
        (staged / name).parent.mkdir(exist_ok=True)
        write_image(map_of(case, values, model), staged / name, case.properties)
    mask = cleaned(mask, model.description, case.properties, options=outputs.options)
    writer = model.plans.image_reader_writer_class()
    writer.write_seg(mask, str(staged / names[-1]), case.properties)
    spacing = f"{case.name}{SPACING}"
    return [*([spacing] if (staged / spacing).is_file() else []), *names]
