"""Connected parts of masks with a number each, and a table of them: cells, lesions."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.labels import labels_of
from nnunet_vit.evaluation.overlays import legend_of
from nnunet_vit.files.csv_table import write_table
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.class_volumes import pixel_of, size_text
from nnunet_vit.inference.outputs.case_outputs import INSTANCES, INSTANCES_TABLE, CaseOutputs
from nnunet_vit.inference.outputs.components import parts_of
from nnunet_vit.inference.outputs.float_image import write_image
from nnunet_vit.inference.predicting.staging import staged_in

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array

COLUMNS = ("case", "instance", "class", "voxels", "size", "unit", "z", "y", "x")
Row = tuple[object, ...]


def write_instances(
    masks: Path,
    cases: Sequence[str],
    description: JsonObject,
    *,
    outputs: CaseOutputs,
    reader: "type[BaseReaderWriter]",
) -> Path:
    """Write an image per case whose values are numbers of parts, and a row per part.

    Args:
        masks: the folder of masks, where folder and table go.
        cases: whose masks are there.
        description: dataset.json.
        outputs: names the files.
        reader: nnU-Net's, of the masks.

    Raises:
        MachineError: the table cannot be written.
        OSError: an image cannot.
    """
    (masks / INSTANCES).mkdir(exist_ok=True)
    with staged_in(masks) as staged:

        def rows(case: str) -> list[Row]:
            found = _rows(masks, case, description, staged=staged, outputs=outputs, reader=reader)
            return list(found)

        found = in_threads(rows, cases)
    write_table(COLUMNS, (row for each in found for row in each), masks / INSTANCES_TABLE)
    return masks / INSTANCES_TABLE


def _rows(
    masks: Path,
    case: str,
    description: JsonObject,
    *,
    staged: Path,
    outputs: CaseOutputs,
    reader: "type[BaseReaderWriter]",
) -> Iterator[Row]:
    file = masks / outputs.mask(case)
    if not file.is_file():  # removed meanwhile
        return
    values, properties = reader().read_seg(str(file))
    numbered, labels = _numbered(values[0].astype(int), description)
    whole = masks / outputs.instances(case)
    write_image(numbered, staged / whole.name, properties)
    (staged / whole.name).replace(whole)
    spacing = None if outputs.has_no_spacing else properties["spacing"]
    pixel, unit = pixel_of(numbered.shape, spacing)
    names, found = legend_of(labels_of(description)).names, _parts(numbered)
    for number, (count, centre) in enumerate(found, start=1):
        place = ("" if numbered.shape[0] == 1 and axis == 0 else f"{at:.1f}"
                 for axis, at in enumerate(centre))  # fmt: skip
        name = names[labels[number - 1]]
        yield case, number, name, count, size_text(count, pixel), unit, *place


def _numbered(mask: "Array", description: JsonObject) -> "tuple[Array, list[int]]":
    """Return the numbers of the connected parts of each label, and the label of each part."""
    import numpy as np

    numbered: Array = np.zeros(mask.shape, np.uint32)
    labels: list[int] = []
    for label in labels_of(description).foreground:
        parts, count = parts_of(mask == label)
        numbered[parts > 0] = parts[parts > 0] + len(labels)
        labels += [label] * count
    return numbered, labels


def _parts(numbered: "Array") -> "list[tuple[int, Array]]":
    """Return the number of voxels and the centre (Z, Y, X) of each part."""
    import numpy as np

    where = np.nonzero(numbered)
    of = numbered[where].astype(np.int64) - 1
    counts = np.bincount(of)
    centres = [np.bincount(of, weights=axis) / counts for axis in where]
    return list(zip(counts.tolist(), np.stack(centres, axis=1), strict=True))
