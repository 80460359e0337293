"""What a NIfTI says that its readers do not pass on: ITK takes NaN for 0 and no spacing for 1."""

import contextlib
import math
from pathlib import Path
from typing import Any

from nnunet_vit.data.checks.raster_reading import OPEN_WITH_ITK
from nnunet_vit.quantities import sizes_text

ENDINGS = (".nii", ".nii.gz")


def spacing_fault(file: Path, ending: str) -> tuple[str, str]:
    """Return what is wrong with the spacing that a sound NIfTI states and what to do; or nothing.

    Of an axis of one voxel it does not matter.
    """
    if ending.lower() not in ENDINGS:
        return "", ""
    import nibabel

    header: Any = nibabel.load(file).header
    axes = min(int(header["dim"][0]), 3)
    sizes = [int(size) for size in header["dim"][1 : 1 + axes]]
    spacing = [float(step) for step in header["pixdim"][1 : 1 + axes]]
    pairs = zip(sizes, spacing, strict=True)
    if all(size == 1 or (math.isfinite(step) and step > 0) for size, step in pairs):
        return "", ""
    return (
        f"states the spacing {sizes_text(spacing)} (X, Y, Z) in its header, for which readers take "
        "something else",
        "write the spacing of its voxels into the file",
    )


def hidden_numbers(file: Path, ending: str, reader: str) -> int:
    """Return how many values that are not finite ITK has replaced by 0 in a sound NIfTI."""
    if ending.lower() not in ENDINGS or reader not in OPEN_WITH_ITK:
        return 0
    import nibabel
    import numpy as np

    with contextlib.suppress(Exception):  # what SimpleITK reads and nibabel does not
        stored: Any = nibabel.load(file)
        if stored.header.get_data_dtype().kind == "f":
            values = np.asarray(stored.dataobj)
            return int(values.size - np.isfinite(values).sum())
    return 0
