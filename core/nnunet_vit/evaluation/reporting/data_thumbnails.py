"""Cases of a dataset as small pictures: the image with its mask; bad ones as far as they go."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nnunet_vit.data.case_files import Case
from nnunet_vit.data.checking.examining import Examined
from nnunet_vit.data.checks.raster_reading import Raster, read, reader_for
from nnunet_vit.data.labels import labels_of
from nnunet_vit.errors import MachineError
from nnunet_vit.evaluation.overlays import chosen_slice, legend_of
from nnunet_vit.evaluation.reporting.case_pictures import View, address_of
from nnunet_vit.report.overlay import Legend, as_rgb, outlined
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.view_size import resized, view_size

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array

SMALLEST, LARGEST = 160, 240  # pixels of a view's longer edge
COLOURS = 3
SOUND, BAD = 24, 12  # cases that are shown


def cases_to_show(examined: Examined) -> tuple[list[str], list[str]]:
    """Return sound cases, evenly over all of them, and the first bad ones."""
    bad = [name for name, seen in examined.seen.items() if seen.faults]
    sound = [name for name, seen in examined.seen.items() if not seen.faults]
    step = max(1, -(-len(sound) // SOUND))
    return sound[::step], bad[:BAD]


def thumbnails(examined: Examined, names: Sequence[str], progress: Progress) -> list[View]:
    """Return a picture of each case that can be drawn.

    Args:
        examined: the looks at all cases.
        names: of the cases.
        progress: where to show them.
    """
    description = examined.dataset.description
    files = [file for name in names for file in examined.cases[name].images]
    reader = reader_for(description, files, "image")
    legend, ending = legend_of(labels_of(description)), description["file_ending"]
    found = []
    progress.start_cases("Drawing cases", len(names))
    for name in names:
        plane = _plane(examined.cases[name], reader, ending, legend=legend)
        if plane is not None:
            picture, words = plane
            size = picture.shape[:2]
            text = f"{name}: {words}"
            found.append(View(name, text, address_of(picture), size[1], size[0]))
        progress.case(name)
    progress.close()
    return found


def _plane(
    case: Case, reader: "type[BaseReaderWriter]", ending: str, *, legend: Legend
) -> "tuple[Array, str] | None":
    """Return a picture of a case and what it shows; None where its image cannot be drawn."""
    import numpy as np

    images = [_raster(file, reader, ending, "image") for file in case.images]
    first = images[0]
    if first is None or not first.values.size:
        return None
    values = _colours([image.values for image in images if image is not None])
    label = _raster(case.label, reader, ending, "mask")
    mask = np.zeros(values.shape[1:], int)
    fits = label is not None and label.values.shape == (1, *mask.shape)
    if label is not None and fits:
        mask = np.nan_to_num(label.values[0]).astype(int)
    axis, index, place = chosen_slice(mask, mask, first.spacing, ignored=legend.ignored)
    plane = values.take(index, axis=axis + 1)
    colours = as_rgb(plane.transpose(1, 2, 0) if len(plane) in (3, 4) else plane[0])
    size = view_size(colours.shape[:2], SMALLEST, LARGEST)
    drawn = outlined(resized(colours, size), resized(mask.take(index, axis=axis), size), legend)
    words = "the image with its mask" if fits else "the image; its mask cannot be drawn on it"
    return drawn, f"{words}{f', {place}' if place else ''}"


def _colours(images: "list[Array]") -> "Array":
    """Return the first image, or three of one channel each as one in colour."""
    import numpy as np

    alike = len({image.shape for image in images}) == 1
    if len(images) == COLOURS and alike and len(images[0]) == 1:
        return np.concatenate(images)
    return images[0]


def _raster(
    file: Path, reader: "type[BaseReaderWriter]", ending: str, role: Literal["image", "mask"]
) -> Raster | None:
    try:
        found = read(file, reader, ending, role)
    except MachineError:  # larger than the memory: the check has said so
        return None
    return found if isinstance(found, Raster) else None
