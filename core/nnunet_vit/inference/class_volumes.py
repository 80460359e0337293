"""A table of how large each class is in each mask."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from nnunet_vit.data.checks.raster_reading import PICTURES, in_threads, read, reader_for
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.labels import labels_of
from nnunet_vit.files.csv_table import write_table
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.outputs.case_outputs import VOLUMES_TABLE

COLUMNS = ("case", "class", "voxels", "share", "size", "unit")
Row = tuple[str, str, int, str, str, str]


def write_volumes(masks: Path, cases: Iterable[str], description: JsonObject) -> Path:
    """Write a row per mask and class: pixels or voxels, their share of the image, and mm2 or mm3.

    Args:
        masks: the folder of masks, where the table goes.
        cases: whose masks are there.
        description: dataset.json.

    Returns:
        The table. Sizes are empty where files have no spacing.

    Raises:
        MachineError: it cannot be written.
    """
    ending = str(description["file_ending"])
    files = {case: masks / f"{case}{ending}" for case in cases}
    rows = in_threads(lambda case: list(_rows(case, files, description)), list(files), lambda: None)
    write_table(COLUMNS, (row for each in rows for row in each), masks / VOLUMES_TABLE)
    return masks / VOLUMES_TABLE


def _rows(case: str, files: Mapping[str, Path], description: JsonObject) -> Iterator[Row]:
    import numpy as np

    file = files[case]
    reader = reader_for(description, [file], "mask")
    found = read(file, reader, str(description["file_ending"]), "mask")
    if isinstance(found, FileFault):  # removed meanwhile
        return
    mask, spacing = found.values[0].astype(int), found.spacing
    own, unit = pixel_of(mask.shape, spacing if reader.__name__ != PICTURES else None)
    for name, labels in labels_of(description).classes.items():
        count = int(np.isin(mask, labels).sum())
        yield case, name, count, f"{count / mask.size:.6f}", size_text(count, own), unit


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
