"""The worst and the best cases as pictures inside the page."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.file_faults import FileFault
from nnunet_vit.errors import shortened
from nnunet_vit.evaluation.mask_pairs import Pair, Task
from nnunet_vit.evaluation.overlays import Views, legend_of, readers_of, views_of
from nnunet_vit.report.overlay import (
    CONFUSED,
    FALSE,
    IGNORED,
    MISSED,
    Colour,
    Legend,
    as_rgb,
    errors_marked,
    outlined,
)
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.view_size import resized, view_size

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

LARGEST, SMALLEST = 480, 300  # pixels of a view's longer edge
QUALITIES = (85, 65, 45, 25)  # of JPEG, with whole colours: outlines stay sharp
MOST = 150_000  # bytes of a view, so that a page of noise opens too


@dataclass(frozen=True)
class View:
    """A picture inside the page.

    Attributes:
        title: what it is.
        text: the same for those who do not see it.
        address: the picture itself, as data.
        width: in pixels.
        height: in pixels.
    """

    title: str
    text: str
    address: str
    width: int
    height: int


@dataclass(frozen=True)
class CasePictures:
    """The pictures of a case; place: which slice of a volume they show."""

    case: str
    place: str
    views: Sequence[View]


def key_of(task: Task) -> list[tuple[str, str]]:
    """Return the colours of the pictures as CSS has them, with what they mean."""
    legend = legend_of(task.labels)
    entries = [(legend.colour(label), name) for label, name in legend.names.items()]
    entries += [(MISSED, "missed"), (FALSE, "false positive")]
    entries += [(CONFUSED, "another class")] if len(legend.names) > 1 else []
    entries += [(IGNORED, "ignored")] if legend.ignored is not None else []
    return [(css_colour(colour), name) for colour, name in entries]


def pictures_of(
    pairs: Mapping[str, Pair], images: Mapping[str, Path], task: Task, *, progress: Progress
) -> tuple[dict[str, CasePictures], list[str]]:
    """Return the pictures of each case, and why some have none.

    Args:
        pairs: masks by case.
        images: the file of each case's first channel; of one case at least.
        task: what the masks show.
        progress: where to show what happens.
    """
    there = {case: pair for case, pair in pairs.items() if case in images}
    lacking = []
    if missing := [case for case in pairs if case not in images]:
        folder, name = next(iter(images.values())).parent, f"CASE_0000{task.ending}"
        lacking.append(
            f"{shortened(missing)}: no image {name} in {folder}; --images FOLDER names another."
        )
    readers = readers_of(task, list(there.values()), [images[case] for case in there])
    found = {}
    progress.start_cases("Drawing cases", len(there))
    for case, pair in there.items():
        views = views_of(images[case], pair, readers, ending=task.ending, labels=task.labels)
        if isinstance(views, FileFault):
            lacking.append(f"{case}: {views.file} {views.problem}")
        else:
            found[case] = _drawn(case, views, legend_of(task.labels))
        progress.case(case)
    progress.close()
    return found, lacking


def _drawn(case: str, views: Views, legend: Legend) -> CasePictures:
    image, size = as_rgb(views.image), view_size(views.reference.shape, SMALLEST, LARGEST)
    shown, reference, prediction = (
        resized(each, size) for each in (image, views.reference, views.prediction)
    )
    wrong = _with_errors(views.reference, views.prediction, size)
    pictures = {
        "image": (shown, "the image alone"),
        "reference": (outlined(shown, reference, legend), "outlines of the reference"),
        "prediction": (outlined(shown, prediction, legend), "outlines of the prediction"),
        "errors": (
            errors_marked(shown, *wrong, ignored=legend.ignored),
            "pixels that are wrong, in the colours of the key",
        ),
    }
    place = f", {views.place}" if views.place else ""
    return CasePictures(
        case,
        views.place,
        [
            View(title, f"{case}{place}: {text}", address_of(picture), size[1], size[0])
            for title, (picture, text) in pictures.items()
        ],
    )


def _with_errors(
    reference: "Array", prediction: "Array", size: tuple[int, int]
) -> "tuple[Array, Array]":
    """Return both masks in the size of a view, in which an error of one pixel stays in sight."""
    import numpy as np

    height, width = reference.shape
    shown = resized(np.arange(height * width).reshape(reference.shape), size)
    rows, columns = np.nonzero(reference != prediction)
    if size[0] < height:
        places = rows * size[0] // height, columns * size[1] // width
        shown[places] = rows * width + columns
    return reference.ravel()[shown], prediction.ravel()[shown]


def address_of(picture: "Array") -> str:
    """Return a picture, (H, W, 3) uint8, as an address that holds it."""
    from PIL import Image

    content = io.BytesIO()
    for quality in QUALITIES:
        content = io.BytesIO()
        Image.fromarray(picture).save(content, "JPEG", quality=quality, subsampling=0)
        if content.tell() <= MOST:
            break
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"


def css_colour(colour: Colour) -> str:
    """Return a colour as CSS has it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
