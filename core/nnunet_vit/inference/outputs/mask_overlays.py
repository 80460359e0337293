"""A picture of each mask on its image."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import Raster, in_threads
from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.data.labels import labels_of
from nnunet_vit.evaluation.overlays import chosen_slice, legend_of
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writing import replacing
from nnunet_vit.inference.outputs.case_outputs import OVERLAYS, CaseOutputs
from nnunet_vit.inference.outputs.float_image import read_image
from nnunet_vit.report.overlay import (
    LEAST_EDGE,
    as_rgb,
    in_a_row,
    outlined,
    present_labels,
)
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.view_size import resized, view_size

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array

LARGEST = 1024  # pixels of a view's longer edge
UNSURE = (215, 25, 28)

Look = Callable[[str], Raster | FileFault]  # at the image of a case, its first channel's file


@dataclass(frozen=True)
class Drawing:
    """What overlays are drawn from.

    Attributes:
        masks: the folder of masks.
        description: dataset.json.
        reader: nnU-Net's, of the masks.
        outputs: names the files.
        look: reads the image of a case.
    """

    masks: Path
    description: JsonObject
    reader: "type[BaseReaderWriter]"
    outputs: CaseOutputs
    look: Look


def draw_overlays(cases: list[str], drawing: Drawing, progress: Progress) -> None:
    """Draw each mask on its image into the folder of overlays; of volumes one slice.

    Args:
        cases: whose masks are there.
        drawing: how.
        progress: where to show what happens.

    Raises:
        OSError: the disk refuses.
    """
    folder = drawing.masks / OVERLAYS
    folder.mkdir(exist_ok=True)
    progress.start_cases(f"Drawing overlays in {folder}", len(cases))
    in_threads(lambda case: _draw(case, drawing), cases, lambda: progress.case(""))
    progress.close()


def _draw(case: str, drawing: Drawing) -> None:
    from PIL import Image

    outputs, masks = drawing.outputs, drawing.masks
    image = drawing.look(case)
    mask = read_mask(masks / outputs.mask(case), drawing.reader, outputs.ending)
    if isinstance(image, FileFault) or isinstance(mask, FileFault):  # gone meanwhile
        return
    values = mask.values[0].astype(int)
    own = labels_of(drawing.description)
    axis, index, place = chosen_slice(values, values, image.spacing, ignored=own.ignore)
    plane = image.values.take(index, axis=axis + 1)
    shown = plane.transpose(1, 2, 0) if len(plane) in (3, 4) else plane[0]
    legend, flat = legend_of(own), values.take(index, axis=axis)
    size = view_size(flat.shape, LEAST_EDGE, LARGEST)
    small, labels = resized(as_rgb(shown), size), resized(flat, size)
    views = {
        f"image, {place}" if place else "image": small,
        "prediction": outlined(small, labels, legend),
    }
    entries = present_labels(legend, set(map(int, set(flat.ravel().tolist()))))
    if outputs.options.uncertainty:
        entropy = read_image(masks / outputs.entropy(case), drawing.reader())
        views["entropy"] = _heat(small, resized(entropy.take(index, axis=axis), size))
        entries += [(UNSURE, "unsure")]
    with replacing(masks / OVERLAYS / f"{case}.png") as unfinished:
        Image.fromarray(in_a_row(views, entries)).save(unfinished, "PNG")


def _heat(image: "Array", entropy: "Array") -> "Array":
    """Return a grey image that is the redder the less sure a pixel is.

    Shapes: image (H, W, 3) uint8, entropy (H, W) from 0 to 1; the result is (H, W, 3) uint8.
    """
    import numpy as np

    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    share = entropy.clip(0, 1)[..., None]
    mixed: Array = (1 - share) * 0.7 * grey + share * np.array(UNSURE)
    return mixed.astype(np.uint8)
