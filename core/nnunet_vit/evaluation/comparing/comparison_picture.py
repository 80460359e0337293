"""A comparison as a picture: each difference with its interval, beside the line at 0."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.evaluation.comparing.comparison import Comparison, Row
from nnunet_vit.files.writing import replacing
from nnunet_vit.report.letters import letter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches, but for the first
FONT = 8
LETTER, LINE, ROW = 0.074, 0.17, 0.24
PLOT, GAP, NARROWEST = 3.2, 0.55, 6.6
TITLE, BELOW, MARGIN = 0.38, 0.62, 0.15
LONGEST = 28  # letters of a class's name
DOTS_PER_INCH = 150
KEY = "mean difference and its 95 % interval; blue: more than noise, grey: may be noise"

Place = tuple[str, int, int]  # a class and two runs


def draw(comparison: Comparison, file: Path) -> None:
    """Write the picture of all differences."""
    with replacing(file) as unfinished:
        picture_of_differences(comparison).savefig(unfinished, format="png", dpi=DOTS_PER_INCH)


def picture_of_differences(comparison: Comparison) -> "Figure":
    """Return a row for each class and pair of runs, a column for each metric.

    Its size is that of what it shows.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    places, metrics = _places(comparison), comparison.metrics
    left = MARGIN + LETTER * max(map(len, _labels(places)), default=1) + MARGIN
    width = max(NARROWEST, left + len(metrics) * (PLOT + GAP))
    names = "\n".join(_names(comparison, int((width - 2 * MARGIN) / LETTER)))
    rows = ROW * max(1, len(places))
    above = MARGIN + LINE * (names.count("\n") + 1) + TITLE
    height = above + rows + BELOW
    figure = Figure((width, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(MARGIN / width, 1 - MARGIN / height, names, va="top", size=FONT, parse_math=False)
    figure.text(MARGIN / width, MARGIN / height, KEY, va="bottom", size=FONT)
    column = (width - left) / len(metrics)
    for number, metric in enumerate(metrics):
        box = (left + number * column) / width, BELOW / height, (column - GAP) / width
        axes = figure.add_axes((*box, rows / height))
        found = [row for row in comparison.rows if row.metric is metric]
        _draw_rows(axes, found, places)
        unit = metric.unit(comparison.measurements[0].unit)
        side = "left" if metric.lower_is_better else "right"
        title = f"{metric.title}{f' ({unit})' if unit else ''}: {side} is better"
        axes.set_title(title, size=FONT + 1, parse_math=False)
        labels = ["" if number else label for label in _labels(places)]
        axes.set_yticks(range(len(labels)), labels, parse_math=False)
    return figure


def _draw_rows(axes: "Axes", rows: Sequence[Row], places: Sequence[Place]) -> None:
    for number, name in enumerate(dict.fromkeys(name for name, *_ in places)):
        if number % 2:
            own = [at for at, place in enumerate(places) if place[0] == name]
            axes.axhspan(own[0] - 0.5, own[-1] + 0.5, color="0.95", zorder=0)
    for row in rows:
        at = places.index((row.class_name, row.one, row.other))
        found, colour = row.difference, "tab:grey" if row.better is None else "tab:blue"
        axes.plot([found.low, found.high], [at, at], color=colour)
        axes.plot([found.mean], [at], "o", color=colour, markersize=4)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_ylim(max(1, len(places)) - 0.5, -0.5)
    axes.tick_params(labelsize=FONT)
    axes.locator_params(axis="x", nbins=4)


def _places(comparison: Comparison) -> list[Place]:
    """Return the rows of the picture, in the order of the classes, the same for all metrics."""
    found = {(row.class_name, row.one, row.other) for row in comparison.rows}
    return sorted(found, key=lambda place: (comparison.classes.index(place[0]), *place[1:]))


def _labels(places: Sequence[Place]) -> list[str]:
    return [
        f"{name if len(name) <= LONGEST else name[: LONGEST - 1] + '…'}: "
        f"{letter(other)} - {letter(one)}"
        for name, one, other in places
    ]


def _names(comparison: Comparison, width: int) -> Iterator[str]:
    """Yield what the letters mean, in lines of at most so many letters."""
    for number, name in enumerate(comparison.names):
        yield from textwrap.wrap(f"{letter(number)}: {name}", width, subsequent_indent="    ")
