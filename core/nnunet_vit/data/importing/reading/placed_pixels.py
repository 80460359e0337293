"""NIfTI, NRRD, MHA and their like, by SimpleITK: voxels that lie somewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_vit.data.checks.detached_data import data_files
from nnunet_vit.data.checks.stored_spacing import spacing_fault
from nnunet_vit.data.importing.reading.pixels import Pixels, Placement, UnusableError

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

PLACED = (".nii.gz", ".nii", ".nrrd", ".mha", ".gipl")
DETACHED = (".nhdr", ".mhd")  # their voxels are in another file


def read_placed(file: Path, ending: str) -> Pixels:
    """Return the voxels of a file.

    Raises:
        UnusableError: it does not say how large voxels are, or has more than three axes.
        RuntimeError: it is damaged.
    """
    import SimpleITK

    problem = spacing_fault(file, ending)
    if problem[0]:
        raise UnusableError(*problem)
    header = SimpleITK.ImageFileReader()
    header.SetFileName(str(file))
    header.ReadImageInformation()
    if header.GetDimension() > 3:
        sizes = " x ".join(map(str, header.GetSize()))
        raise UnusableError(f"has {header.GetDimension()} axes ({sizes})", "save one file per time")
    stored = SimpleITK.ReadImage(str(file))
    values, placement = values_of(stored), placement_of(stored)
    whole = ending in PLACED and not data_files(file)
    return Pixels(values, placement, as_stored=whole and len(values) == 1)


def values_of(stored: Any) -> "Array":  # noqa: ANN401 - SimpleITK has no types
    """Return (C, Z, Y, X) of an image of SimpleITK."""
    import numpy as np
    import SimpleITK

    values: Array = SimpleITK.GetArrayFromImage(stored)
    if np.iscomplexobj(values):
        raise UnusableError("holds complex numbers", "save its magnitude")
    if stored.GetNumberOfComponentsPerPixel() > 1:
        values = np.moveaxis(values, -1, 0)
    else:
        values = values[None]
    return values if values.ndim == 4 else values[:, None]


def placement_of(stored: Any) -> Placement:  # noqa: ANN401 - SimpleITK has no types
    """Return where an image of SimpleITK lies."""
    return Placement(stored.GetSpacing(), stored.GetOrigin(), stored.GetDirection())
