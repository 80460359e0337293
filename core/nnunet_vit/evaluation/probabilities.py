"""Probabilities beside masks: CASE.npz, as nnU-Net writes them with --save_probabilities."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.evaluation.mask_pairs import Pair

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

ENDING = ".npz"
KEY = "probabilities"
Channels = Mapping[str, int]  # by the name of the class or region


def file_of(mask: Path, ending: str) -> Path:
    """Return where the probabilities of a mask lie."""
    return mask.with_name(mask.name.removesuffix(ending) + ENDING)


def lacking(pairs: Sequence[Pair], ending: str) -> list[Path]:
    """Return the masks without probabilities."""
    masks = [pair.prediction for pair in pairs]
    return [mask for mask in masks if not file_of(mask, ending).is_file()]


def read_probabilities(
    mask: Path, ending: str, channels: Channels, *, shape: tuple[int, ...]
) -> "dict[str, Array]":
    """Return the probability of each class, (Z, Y, X), as the file has it.

    Args:
        mask: beside which the file lies.
        ending: of the mask.
        channels: which of the file's is which class.
        shape: of the mask, (Z, Y, X).

    Raises:
        DataError: the file is damaged, or is not of these classes or of this mask.
    """
    import numpy as np

    file = file_of(mask, ending)
    try:
        with np.load(file) as content:
            found = content[KEY]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        what = f"holds no array '{KEY}'" if isinstance(error, KeyError) else "cannot be read"
        refuse(file.parent, grouped([FileFault(file, what, "predict again, with probabilities")]))
        raise
    needed = max(channels.values()) + 1
    if found.shape != (needed, *shape) or not np.isfinite(found).all():
        fault = FileFault(
            file,
            f"holds an array of shape {found.shape}; needed: finite numbers of shape "
            f"{(needed, *shape)}, of the classes and the mask",
            "give the folder that was predicted with probabilities",
        )
        refuse(file.parent, grouped([fault]))
    return {name: found[channel] for name, channel in channels.items()}
