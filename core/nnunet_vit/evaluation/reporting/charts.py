"""Charts as plain geometry, which the page's template draws as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from nnunet_vit.evaluation.reporting.axes import Axis

WIDTH, HEIGHT = 360, 236
LEFT, RIGHT, TOP, BOTTOM = 44, 350, 12, 198  # of the plot inside
COLOURS = 7  # that the page's style has
Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """Values that belong together.

    Attributes:
        name: for the legend.
        points: x and y.
        colour: its number, from 0.
        dashed: whether its line is.
        texts: of each dot, for the one who points at it; none for a line.
    """

    name: str
    points: Sequence[Point]
    colour: int = 0
    dashed: bool = False
    texts: Sequence[str] = ()

    @property
    def style(self) -> str:
        """The name of its colour in the page's style."""
        return f"c{self.colour % COLOURS}"


@dataclass(frozen=True)
class Chart:
    """A chart with its axes.

    Attributes:
        name: unique in the page; for its parts.
        title: what it shows.
        summary: the same in words, for those who do not see it.
        x: the axis along the bottom.
        y: the axis at the left.
        series: in the order of the legend.
        diagonal: whether the line from corner to corner is drawn.
        joined: whether points are joined by lines; else each is a dot.
        note: said below it.
    """

    name: str
    title: str
    summary: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    diagonal: bool = False
    joined: bool = True
    note: str = ""

    def across(self, share: float) -> float:
        """Return the place of a share of the x axis."""
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def up(self, share: float) -> float:
        """Return the place of a share of the y axis; SVG counts from the top."""
        return round(BOTTOM - share * (BOTTOM - TOP), 1)

    def place(self, point: Point) -> Point:
        """Return where a point lies in the picture."""
        return self.across(self.x.share(point[0])), self.up(self.y.share(point[1]))

    def path(self, series: Series) -> str:
        """Return SVG's words for the line through the points."""
        return "M" + " ".join("{:g},{:g}".format(*self.place(point)) for point in series.points)

    def dots(self, series: Series) -> list[tuple[float, float, str]]:
        """Return place and text of each point."""
        texts = series.texts or [""] * len(series.points)
        return [(*self.place(p), text) for p, text in zip(series.points, texts, strict=True)]


def described(series: Sequence[Series]) -> str:
    """Return the first and the last value of each line, in words."""
    told = [f"{one.name}: from {one.points[0][1]:.3g} to {one.points[-1][1]:.3g}" for one in series]
    return f"{'; '.join(told)}."
