"""A table of how large each class is in each mask."""

import csv
import io
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.checks.raster_reading import PICTURES, in_threads, read, reader_for
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.labels import labels_of
from nnunet_vit.errors import DataError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writing import write_text
from nnunet_vit.inference.large.opening import opened
from nnunet_vit.inference.large.source import Strips
from nnunet_vit.inference.large.which_images import MASK

TABLE = "volumes.csv"
COLUMNS = ("case", "class", "voxels", "share", "size", "unit")
Row = tuple[str, str, int, str, str, str]


@dataclass(frozen=True)
class _Mask:
    """How many pixels have which value.

    Attributes:
        counts: by value.
        spacing: of its axes, mm; empty where it has none.
    """

    counts: Mapping[int, int]
    spacing: Sequence[float]


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
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(row for each in rows for row in each)
    write_text(text.getvalue(), masks / TABLE)
    return masks / TABLE


def _rows(case: str, mask: _Mask | None, description: JsonObject) -> Iterator[Row]:
    if mask is None:  # removed meanwhile
        return
    pixels, own = sum(mask.counts.values()), mask.spacing
    unit = f"mm{len(own)}" if own else ""
    for name, labels in labels_of(description).classes.items():
        count = sum(mask.counts.get(label, 0) for label in set(labels))
        size = f"{count * math.prod(own):.6g}" if own else ""
        yield case, name, count, f"{count / pixels:.6f}", size, unit


def _whole(file: Path, description: JsonObject) -> _Mask | None:
    import numpy as np

    reader = reader_for(description, [file], "mask")
    found = read(file, reader, str(description["file_ending"]), "mask")
    if isinstance(found, FileFault):
        return None
    values, counts = np.unique(found.values[0].astype(int), return_counts=True)
    flat, known = found.values.shape[1] == 1, reader.__name__ != PICTURES
    spacing = found.spacing if known and found.spacing else ()
    numbers = zip(values.tolist(), counts.tolist(), strict=True)
    return _Mask(dict(numbers), spacing[1:] if flat else spacing)


def _of_strips(file: Path) -> _Mask | None:
    """Return the same of a large mask; pictures have no spacing."""
    import numpy as np

    counts = np.zeros(1 << 16, dtype=np.int64)
    try:
        with Strips(opened([file]), str(file)) as strips:
            for _, strip in strips.all():
                counts += np.bincount(strip.ravel(), minlength=len(counts))
    except DataError:
        return None
    return _Mask({value: int(counts[value]) for value in np.flatnonzero(counts).tolist()}, ())
