"""How much of each class every case has, read from the copies of the label files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnunet_vit.data.checks.raster_reading import Raster, in_threads, read, reader_for
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.data.labels import labels_of
from nnunet_vit.files.json_file import JsonMapping


def class_amounts(
    labels: Path, cases: Sequence[str], description: JsonMapping
) -> dict[str, list[float]]:
    """Return two numbers per class for each case: whether it is there, and its share of the pixels.

    Args:
        labels: the folder of the label files.
        cases: to look at.
        description: dataset.json.

    Raises:
        DataError: label files cannot be read; names them.
    """
    ending = description["file_ending"]
    files = [labels / f"{case}{ending}" for case in cases]
    reader = reader_for(description, files, "mask")
    classes = list(labels_of(description).classes.values())

    def amounts(file: Path) -> list[float] | FileFault:
        raster = read(file, reader, ending, "mask")
        return raster if isinstance(raster, FileFault) else _amounts(raster, classes)

    found = in_threads(amounts, files)
    faults = [each for each in found if isinstance(each, FileFault)]
    refuse(f"{labels} has {len(faults)} bad files", grouped(faults))
    return {
        case: each
        for case, each in zip(cases, found, strict=True)
        if not isinstance(each, FileFault)
    }


def _amounts(raster: Raster, classes: Sequence[Sequence[int]]) -> list[float]:
    numbers, counts = np.unique(raster.values, return_counts=True)
    shares = dict(zip(numbers.tolist(), (counts / raster.values.size).tolist(), strict=True))
    areas = [sum(shares.get(number, 0.0) for number in one) for one in classes]
    return [*(float(area > 0) for area in areas), *areas]
