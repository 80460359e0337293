"""A table of how unsure the prediction is of each case, those to look at first on top."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.files.csv_table import write_table
from nnunet_vit.inference.outputs.case_outputs import UNCERTAINTY_TABLE, CaseOutputs
from nnunet_vit.inference.outputs.float_image import read_image

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array

DOUBTFUL = 0.5  # of the highest entropy: such a pixel counts though it is background
COLUMNS = (
    "rank", "case", "doubt", "foreground_entropy", "foreground_disagreement", "image_entropy",
    "image_disagreement", "foreground_pixels",
)  # fmt: skip


@dataclass(frozen=True)
class _Row:
    """Of one case; NaN where there is nothing to take a mean of.

    Attributes:
        case: its name.
        doubt: mean entropy of what is foreground or doubtful; 0 where nothing is.
        means: of entropy and disagreement in the foreground, then in the image.
        foreground: pixels.
    """

    case: str
    doubt: float
    means: tuple[float, ...]
    foreground: int


def write_uncertainty(
    masks: Path, cases: Sequence[str], outputs: CaseOutputs, reader: "type[BaseReaderWriter]"
) -> Path:
    """Write a row per case, the least sure one first.

    Args:
        masks: the folder of masks, where the table goes.
        cases: whose masks and images of uncertainty are there.
        outputs: names the files.
        reader: nnU-Net's, of the masks.

    Raises:
        MachineError: it cannot be written.
    """
    found = in_threads(lambda case: _row(masks, case, outputs, reader), cases)
    rows = sorted((row for row in found if row is not None), key=lambda row: -row.doubt)
    texts = [
        (rank, row.case, *map(_text, (row.doubt, *row.means)), row.foreground)
        for rank, row in enumerate(rows, start=1)
    ]
    write_table(COLUMNS, texts, masks / UNCERTAINTY_TABLE)
    return masks / UNCERTAINTY_TABLE


def _row(
    masks: Path, case: str, outputs: CaseOutputs, reader: "type[BaseReaderWriter]"
) -> _Row | None:
    mask = read_mask(masks / outputs.mask(case), reader, outputs.ending)
    if isinstance(mask, FileFault):  # gone meanwhile
        return None
    inside = mask.values[0] != 0
    entropy = read_image(masks / outputs.entropy(case), reader())
    disagreement = masks / outputs.disagreement(case)
    maps = [entropy, *([read_image(disagreement, reader())] if disagreement.is_file() else [])]
    foreground = _means(maps, inside)
    image = [float(values.mean()) for values in maps]
    lacking = [math.nan] * (2 - len(maps))
    doubt = _means([entropy], inside | (entropy >= DOUBTFUL))[0]
    return _Row(
        case,
        0.0 if math.isnan(doubt) else doubt,
        (*foreground, *lacking, *image, *lacking),
        int(inside.sum()),
    )


def _means(maps: "Sequence[Array]", where: "Array") -> list[float]:
    return [float(values[where].mean()) if where.any() else math.nan for values in maps]


def _text(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"
