"""A table of how large each class is in each mask."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.checks.raster_reading import PICTURES, in_threads, read, reader_for
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.labels import labels_of
from nnunet_vit.errors import DataError
from nnunet_vit.files.csv_table import write_table
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.large.opening import opened
from nnunet_vit.inference.large.source import Strips
from nnunet_vit.inference.large.which_images import MASK
from nnunet_vit.inference.outputs.case_outputs import VOLUMES_TABLE

COLUMNS = ("case", "class", "voxels", "share", "size", "unit")
Row = tuple[str, str, int, str, str, str]


@dataclass(frozen=True)
class _Mask:
    """How many pixels have which value.

    Attributes:
        counts: by value.
        pixel: the size of one; 0: not known.
        unit: of it.
    """

    counts: Mapping[int, int]
    pixel: float = 0.0
    unit: str = ""


def write_volumes(
    masks: Path, cases: Iterable[str], description: JsonObject, *, large: Collection[str] = ()
) -> Path:
    """Write a row per mask and class: pixels or voxels, their share of the image, and mm2 or mm3.

    Args:
        masks: the folder of masks, where the table goes.
        cases: whose masks are there.
        description: dataset.json.
        large: those of the cases whose masks are read in strips.

    Returns:
        The table. Sizes are empty where files have no spacing.

    Raises:
        MachineError: it cannot be written.
    """
    ending = str(description["file_ending"])
    files = {case: masks / f"{case}{MASK if case in large else ending}" for case in cases}

    def rows_of(case: str) -> list[Row]:
        if case in large:
            return list(_rows(case, _of_strips(files[case]), description))
        return list(_rows(case, _whole(files[case], description), description))

    rows = in_threads(rows_of, list(files), lambda: None)
    write_table(COLUMNS, (row for each in rows for row in each), masks / VOLUMES_TABLE)
    return masks / VOLUMES_TABLE


def _rows(case: str, mask: _Mask | None, description: JsonObject) -> Iterator[Row]:
    if mask is None:  # removed meanwhile
        return
    pixels = sum(mask.counts.values())
    for name, labels in labels_of(description).classes.items():
        count = sum(mask.counts.get(label, 0) for label in set(labels))
        yield case, name, count, f"{count / pixels:.6f}", size_text(count, mask.pixel), mask.unit


def _whole(file: Path, description: JsonObject) -> _Mask | None:
    import numpy as np

    reader = reader_for(description, [file], "mask")
    found = read(file, reader, str(description["file_ending"]), "mask")
    if isinstance(found, FileFault):
        return None
    values, counts = np.unique(found.values[0].astype(int), return_counts=True)
    spacing = found.spacing if reader.__name__ != PICTURES else None
    numbers = zip(values.tolist(), counts.tolist(), strict=True)
    return _Mask(dict(numbers), *pixel_of(found.values.shape[1:], spacing))


def _of_strips(file: Path) -> _Mask | None:
    """Return the same of a large mask; pictures have no spacing."""
    import numpy as np

    counts = np.zeros(1 << 16, dtype=np.int64)
    try:
        with Strips(opened([file]), str(file)) as strips:
            for _, _, part in strips.all():
                counts += np.bincount(part.ravel(), minlength=len(counts))
    except DataError:
        return None
    return _Mask({value: int(counts[value]) for value in np.flatnonzero(counts).tolist()})


def pixel_of(shape: Sequence[int], spacing: Sequence[float] | None) -> tuple[float, str]:
    """Return the size of a pixel or voxel with its unit; 0 and nothing where it is not known.

    Args:
        shape: of the mask, (Z, Y, X).
        spacing: likewise, mm; None: not known.
    """
    if not spacing:
        return 0.0, ""
    flat = shape[0] == 1
    return math.prod(spacing[1:] if flat else spacing), "mm2" if flat else "mm3"


def size_text(count: int, pixel: float) -> str:
    """Return the size of so many pixels for a table; empty where it is not known."""
    return f"{count * pixel:.6g}" if pixel else ""
