"""Values of images that nothing can be computed with, each with its likely cause."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.raster_reading import Raster
from nnunet_vit.data.file_faults import FileFault

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

LARGEST = 1e18  # its square is about the largest float32
UNIT_RANGE = "RGBTo01Normalization"  # divides by 255 and refuses what lies outside 0 to 255


def wrong_values_of(
    files: Sequence[Path], rasters: Sequence[Raster], schemes: Sequence[str]
) -> list[FileFault]:
    """Return the faults of images whose values cannot be computed with.

    Args:
        files: of a case.
        rasters: the same as read.
        schemes: nnU-Net's normalization of each channel, by class name.
    """
    import numpy as np

    faults, channel = [], 0
    for file, raster in zip(files, rasters, strict=True):
        own = schemes[channel : channel + len(raster.values)]
        channel += len(raster.values)
        if not raster.values.size:
            faults.append(FileFault(file, "has no pixels"))
        elif not np.isfinite(raster.values).all():
            faults.append(
                FileFault(file, "holds values that are not finite (NaN)", "write numbers there")
            )
        else:
            problem, remedy = too_large(raster.values)
            if not problem:
                problem, remedy = out_of_range(raster.values, own)
            faults += [FileFault(file, problem, remedy)] if problem else []
    return faults


def too_large(values: "Array") -> tuple[str, str]:
    """Return what is wrong with values whose squares are no numbers any more; or nothing."""
    largest = max(-float(values.min()), float(values.max()))
    if largest < LARGEST:
        return "", ""
    what = f"holds values up to {largest:g}, with whose squares nothing can be computed"
    return what, "are they marks of missing pixels? Write another number there"


def out_of_range(values: "Array", schemes: Sequence[str]) -> tuple[str, str]:
    """Return what is wrong with values that are to be divided by 255 and what to do; or nothing.

    Args:
        values: (C, …).
        schemes: nnU-Net's normalization of each channel, by class name.
    """
    chosen = [plane for plane, scheme in zip(values, schemes, strict=True) if scheme == UNIT_RANGE]
    if not chosen:
        return "", ""
    low = min(float(plane.min()) for plane in chosen)
    high = max(float(plane.max()) for plane in chosen)
    if low < 0 or high > 255:
        return (
            f"holds values from {low:g} to {high:g}; a channel named rgb_to_0_1 holds 0 to 255",
            "save it with 8 bits per channel",
        )
    if 0 < high <= 1 and any(bool((plane != plane.round()).any()) for plane in chosen):
        return (
            f"holds fractions up to {high:g}; a channel named rgb_to_0_1 holds 0 to 255",
            "multiply by 255 and save it with 8 bits per channel",
        )
    return "", ""
