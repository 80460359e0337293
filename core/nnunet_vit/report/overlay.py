"""A picture of an image with its reference, its prediction and where the two differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from nnunet_vit.files.array_type import Array

Colour = tuple[int, int, int]
Entry = tuple[Colour, str]

# Okabe and Ito's palette: told apart by colour-blind readers too; repeated beyond six classes
COLOURS: tuple[Colour, ...] = (
    (0, 158, 115), (230, 159, 0), (86, 180, 233), (240, 228, 66),
    (204, 121, 167), (0, 114, 178),
)  # fmt: skip
MISSED, FALSE, CONFUSED = (64, 132, 255), (255, 70, 30), (255, 90, 230)
IGNORED = (128, 128, 128)
GAP = 8  # pixels between the views
LEAST_EDGE = 320  # pixels of a view's longer edge: smaller images are enlarged
LEAST_WIDTH = 160  # pixels of a view, so that its title fits
TEXT = 15  # pixels of the letters' height
LINE = 24  # pixels of a line of text
TITLES = ("image", "reference", "prediction", "errors")
WHITE = 255


@dataclass(frozen=True)
class Legend:
    """The names of the labels.

    Attributes:
        names: of the foreground labels, by number.
        ignored: the number of the pixels that do not count, or None.
    """

    names: Mapping[int, str]
    ignored: int | None = None

    def colour(self, label: int) -> Colour:
        """Return the colour of a label, the same in every picture of these labels."""
        if label == self.ignored:
            return IGNORED
        known = list(self.names)
        place = known.index(label) if label in known else label - 1
        return COLOURS[place % len(COLOURS)]


def picture_of(
    image: "Array",
    reference: "Array",
    prediction: "Array",
    *,
    legend: Legend,
    place: str = "",
) -> "Array":
    """Return the four views with their titles and the legend.

    Shapes: image (H, W) or (H, W, C), masks (H, W); the picture is (height, width, 3) uint8.
    """
    import numpy as np

    reference, prediction = np.asarray(reference), np.asarray(prediction)
    factor = max(1, -(-LEAST_EDGE // max(reference.shape)))
    colour, truth, answer = (
        each.repeat(factor, axis=0).repeat(factor, axis=1)
        for each in (as_rgb(image), reference, prediction)
    )
    views = [
        colour,
        outlined(colour, truth, legend),
        outlined(colour, answer, legend),
        errors_marked(colour, truth, answer, ignored=legend.ignored),
    ]
    titles = [*TITLES[:-1], f"{TITLES[-1]}, {place}" if place else TITLES[-1]]
    present = {int(label) for mask in (reference, prediction) for label in np.unique(mask)}
    entries = [*present_labels(legend, present), *_error_colours(legend)]
    return in_a_row(dict(zip(titles, views, strict=True)), entries)


def in_a_row(views: "Mapping[str, Array]", entries: "Sequence[Entry]") -> "Array":
    """Return views beside each other below their titles, and a legend below them.

    Shapes: views (H, W, 3) uint8; the result likewise.
    """
    import numpy as np

    titled = [titled_view(view, title) for title, view in views.items()]
    gap = np.full((titled[0].shape[0], GAP, 3), WHITE, np.uint8)
    row = np.concatenate([part for view in titled for part in (view, gap)][:-1], axis=1)
    return np.concatenate([row, legend_lines(row.shape[1], entries)], axis=0)


def outlined(image: "Array", mask: "Array", legend: Legend) -> "Array":
    """Return the image with each label tinted and outlined in its colour.

    Shapes: image (H, W, 3) uint8, mask (H, W); the result is (H, W, 3) uint8.
    """
    import numpy as np
    from skimage.segmentation import find_boundaries

    result = image.copy()
    for label in np.unique(mask):
        if label:
            colour = np.array(legend.colour(int(label)))
            inside = mask == label
            result[inside] = (0.65 * result[inside] + 0.35 * colour).astype(np.uint8)
            result[find_boundaries(inside, mode="inner")] = colour
    return result


def errors_marked(
    image: "Array",
    reference: "Array",
    prediction: "Array",
    *,
    ignored: int | None,
) -> "Array":
    """Return a pale image on which missed, false and confused pixels are coloured.

    Shapes: image (H, W, 3) uint8, masks (H, W); the result is (H, W, 3) uint8.
    """
    import numpy as np

    grey = image.mean(axis=2, keepdims=True)
    result = np.repeat((0.6 * grey).astype(np.uint8), 3, axis=2)
    counts = reference != ignored
    marks = (
        (MISSED, (reference != 0) & (prediction == 0)),
        (FALSE, (reference == 0) & (prediction != 0)),
        (CONFUSED, (reference != 0) & (prediction != 0) & (reference != prediction)),
    )
    for colour, where in marks:
        result[where & counts] = colour
    result[~counts] = (0.5 * result[~counts] + 0.5 * np.array(IGNORED)).astype(np.uint8)
    return result


def as_rgb(image: "Array") -> "Array":
    """Return an image of any range as 8-bit colours; what is 8-bit already stays as it is.

    Shapes: (H, W) or (H, W, C) to (H, W, 3) uint8.
    """
    import numpy as np

    values = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0, neginf=0)
    is_8_bit = values.min() >= 0 and 1 < values.max() <= 255 and bool((values % 1 == 0).all())
    if not is_8_bit:  # any range: stretch what is there
        low, high = np.percentile(values, (1, 99))
        values = 255 * (values - low) / max(float(high - low), 1e-6)
    if values.ndim == 2 or values.shape[-1] < 3:  # grey, with or without transparency
        first = values if values.ndim == 2 else values[..., 0]
        values = np.repeat(first[..., None], 3, axis=-1)
    return np.clip(values[..., :3], 0, 255).astype(np.uint8)


def titled_view(view: "Array", title: str) -> "Array":
    """Return a view below its title; a narrow one has white beside it.

    Shapes: view (H, W, 3) to (H + LINE, W or LEAST_WIDTH, 3).
    """
    import numpy as np

    width = max(view.shape[1], LEAST_WIDTH)
    beside = ((0, 0), (0, width - view.shape[1]), (0, 0))
    padded = np.pad(view, beside, constant_values=WHITE)
    return np.concatenate([_lines(width, [[(None, title)]]), padded], axis=0)


def present_labels(legend: Legend, present: set[int]) -> "list[Entry]":
    """Return colour and name of the labels of a picture, for its legend."""
    named = [(legend.colour(label), name) for label, name in legend.names.items()
             if label in present]  # fmt: skip
    return [*named, (IGNORED, "ignored")] if legend.ignored in present else named


def _error_colours(legend: Legend) -> "list[Entry]":
    errors = [(MISSED, "missed (false negative)"), (FALSE, "false positive")]
    return [*errors, (CONFUSED, "another class")] if len(legend.names) > 1 else errors


def legend_lines(width: int, entries: "Sequence[Entry]") -> "Array":
    """Return names beside their colours, in as many lines as they need.

    Shapes: the result is (lines * LINE, width, 3) uint8.
    """
    lines: list[list[tuple[Colour | None, str]]] = [[]]
    left = width
    for entry in entries:
        if lines[-1] and _width(entry[1]) > left:
            lines.append([])
            left = width
        lines[-1].append(entry)
        left -= _width(entry[1])
    return _lines(width, lines)


def _width(text: str) -> int:
    return LINE + int(_font().getlength(text)) + 2 * GAP


def _lines(width: int, lines: "Sequence[Sequence[tuple[Colour | None, str]]]") -> "Array":
    """Return lines of text as a picture, each text after a square of its colour.

    Shapes: the result is (lines * LINE, width, 3) uint8.
    """
    import numpy as np
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, LINE * len(lines)), "white")
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        left, top = 2, number * LINE + (LINE - TEXT) // 2
        for colour, text in line:
            if colour is not None:
                draw.rectangle((left, top, left + TEXT, top + TEXT), fill=colour)
            start = left if colour is None else left + LINE
            draw.text((start, top - 1), text, fill="black", font=_font())
            left += _width(text)
    return np.asarray(picture)


def _font() -> "FreeTypeFont | ImageFont":
    from PIL import ImageFont

    try:
        return ImageFont.load_default(TEXT)
    except TypeError:  # Pillow before 10.1 has one size alone
        return ImageFont.load_default()
