"""The files of a predicted case, in a folder where they lie until they are whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from batchgenerators.utilities.file_and_folder_operations import save_pickle

from nnunet_vit.inference.entropy import GrowingEntropy, entropy_of
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs
from nnunet_vit.inference.outputs.components import cleaned
from nnunet_vit.inference.outputs.float_image import write_image
from nnunet_vit.inference.outputs.probability_image import keep_probabilities
from nnunet_vit.inference.predicting.prepared_case import (
    PreparedCase,
    in_full_size,
    mask_and_probabilities,
    mask_of,
    resized_map,
)
from nnunet_vit.inference.prediction_options import NPZ

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

SPACING = ".json"  # nnU-Net writes it beside the mask of a stack of slices


@dataclass(frozen=True)
class _Made:
    """What a case's logits become; None: not wanted."""

    mask: "Array"
    probabilities: "Array | None" = None
    entropy: "Array | None" = None
    disagreement: "Array | None" = None


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
        logits: (outputs, Z, Y, X) of the prepared image; then, where it is wanted, the
            disagreement of the members.
        model: that predicted it.
        staged: the folder to write to.
        outputs: names the files.

    Returns:
        The names of the files, the mask last: one that is there has all that belongs to it.
    """
    made = _made(case, logits, model, outputs)
    for file, values in _maps(made, case.name, outputs):
        (staged / file).parent.mkdir(exist_ok=True)
        write_image(values, staged / file, case.properties)
    if made.probabilities is not None:
        keep_probabilities(
            made.probabilities, case.name, staged,
            outputs=outputs, properties=case.properties, description=model.description,
        )  # fmt: skip
        if outputs.options.probabilities_format == NPZ:
            save_pickle(case.properties, str(staged / f"{case.name}.pkl"))
    names = outputs.names(case.name)
    writer = model.plans.image_reader_writer_class()
    mask = cleaned(made.mask, model.description, case.properties, options=outputs.options)
    writer.write_seg(mask, str(staged / names[-1]), case.properties)
    spacing = f"{case.name}{SPACING}"
    return [*([spacing] if (staged / spacing).is_file() else []), *names]


def _made(
    case: PreparedCase, logits: torch.Tensor, model: LoadedModel, outputs: CaseOutputs
) -> _Made:
    count, regions = model.labels.num_segmentation_heads, model.labels.has_regions
    options, spread = outputs.options, logits[count:]
    disagreement = resized_map(case, spread[0], model) if len(spread) else None
    if options.probabilities:
        mask, probabilities = mask_and_probabilities(case, logits[:count], model)
        sure = entropy_of(torch.from_numpy(probabilities), regions=regions).numpy()
        return _Made(mask, probabilities, sure if options.uncertainty else None, disagreement)
    if not options.uncertainty:
        return _Made(mask_of(case, logits[:count], model))
    growing = GrowingEntropy(regions)
    mask = mask_of(case, logits[:count], model, entropy=growing)
    entropy = in_full_size(growing.result(), case, model)
    return _Made(mask, None, entropy, disagreement)


def _maps(made: _Made, case: str, outputs: CaseOutputs) -> "Iterator[tuple[str, Array]]":
    if made.entropy is not None:
        yield outputs.entropy(case), made.entropy
    if made.disagreement is not None:
        yield outputs.disagreement(case), made.disagreement
