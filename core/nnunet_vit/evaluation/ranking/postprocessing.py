"""Post-processing by nnU-Net's rule: the largest component stays, where that has helped.

nnU-Net's own function finds the components, by skimage and scipy and with full connectivity.
"""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.errors import ModelError
from nnunet_vit.evaluation.measuring import Key
from nnunet_vit.files.writing import replacing

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

NNUNETS_FILE = "postprocessing.pkl"
Step = tuple[Key, ...]  # labels or regions, of which together the largest component stays


def postprocessed(mask: "Array", steps: Sequence[Step]) -> "Array":
    """Return a mask (Z, Y, X) after the steps, in their order; the others become background."""
    from nnunetv2.postprocessing.remove_connected_components import (
        remove_all_but_largest_component_from_segmentation as keep_largest,
    )

    for step in steps:
        mask = keep_largest(mask, list(step))
    return mask


def write_for_nnunet(steps: Sequence[Step], foreground: Sequence[int], folder: Path) -> Path:
    """Write the file that nnUNetv2_apply_postprocessing reads; this package reads no pickle.

    Args:
        steps: of the post-processing.
        foreground: all foreground labels.
        folder: of the masks that it was determined on.
    """
    from nnunetv2.postprocessing.remove_connected_components import (
        remove_all_but_largest_component_from_segmentation as keep_largest,
    )

    arguments = [
        {"labels_or_regions": list(step) if step == tuple(foreground) else step[0]}
        for step in steps
    ]
    file = folder / NNUNETS_FILE
    with replacing(file) as unfinished:
        unfinished.write_bytes(pickle.dumps(([keep_largest] * len(steps), arguments)))
    return file


def steps_as_json(steps: Sequence[Step]) -> list[dict[str, object]]:
    """Return the steps as a JSON file holds them."""
    return [
        {"keep_largest_component_of": [list(k) if isinstance(k, tuple) else k for k in step]}
        for step in steps
    ]


def steps_of_json(content: object, file: Path) -> tuple[Step, ...]:
    """Return the steps that a JSON file holds.

    Raises:
        ModelError: it holds something else.
    """
    try:
        assert isinstance(content, list)
        return tuple(_step(step["keep_largest_component_of"]) for step in content)
    except (AssertionError, LookupError, TypeError, ValueError) as error:
        raise ModelError(f"{file}: its post-processing cannot be read.") from error


def _step(keys: object) -> Step:
    assert isinstance(keys, list) and keys
    return tuple(tuple(map(int, key)) if isinstance(key, list) else int(key) for key in keys)
