"""Draw the heads' architectures: python docs/pictures/draw.py [FOLDER], one SVG per head.

What is drawn is in architectures.py beside this file; without a folder the pictures lie here too.
"""

import sys
from pathlib import Path

from architectures import PICTURES, Box, Picture

BLOCKS = 12  # of the ViT that is drawn
WIDTH, HEIGHT = 1000, 536
PITCH, ROW = 122, 28  # from column to column, from block to block
FIRST_COLUMN, FIRST_ROW = 208, 130  # middles of column 0 and of block 1
BOX, TALL, LOW, SUM = 98, 50, 30, 22  # width of a box, height, beside the image, edge of a sum
LETTER, LINE = 6.7, 14  # of the widest font that may stand in for the named ones
VIT = (24, 128)  # left and right edge
KINDS = {  # class: the legend's words, fill and edge in the light, fill and edge in the dark
    "tapped": ("block that gives a map", "#ffd58a", "#b26a00", "#7a4a00", "#ffc266"),
    "inside": ("block with the head's queries", "#e3d3fb", "#6d3fc0", "#46307a", "#c3a6ff"),
    "block": ("other block", "#eceff3", "#8a94a3", "#2b3340", "#8a94a3"),
    "learned": ("convolutions, linear layers", "#cfe5ff", "#1f6fc4", "#173f6b", "#79b8ff"),
    "attention": ("attention", "#f9d2e4", "#b3266b", "#6b1740", "#ff8ec2"),
    "plain": ("without weights", "#ffffff", "#69727f", "#161b22", "#9aa5b4"),
    "logits": ("logits", "#cdeed6", "#217a3c", "#14502a", "#6fdd8b"),
}
STRIDES = (
    "Strides: p is the edge of a patch in pixels; a map of stride p/4 has a value per p/4 pixels, "
    "one of stride 1 one per pixel. The ViT has 12 blocks here."
)
STYLE = """text{font:12px Helvetica,Arial,"DejaVu Sans",sans-serif;fill:#1b2230;text-anchor:middle}
.title{font-size:20px;font-weight:bold;text-anchor:start}
.left{text-anchor:start}
.stride{fill:#a03000;font-weight:bold;text-anchor:start}
.arrow{fill:none;stroke:#4a5361;stroke-width:1.5}
.tip{fill:#4a5361}
.paper{fill:#fbfcfe;stroke:#d0d7e0}"""
DARK = """text{fill:#e8edf4}
.stride{fill:#ffb38a}
.arrow{stroke:#aab4c2}
.tip{fill:#aab4c2}
.paper{fill:#161b22;stroke:#3a434f}"""

Point = tuple[float, float]
Place = tuple[float, float, float, float]  # middle, width, height


class Drawing:
    """One picture while it is drawn."""

    def __init__(self, picture: Picture) -> None:
        """Begin with the places of everything that an arrow may lead from or to."""
        self.picture = picture
        self.lines: list[str] = []
        middle = (VIT[0] + VIT[1]) / 2
        self.places = {"image": (middle, row_of(0), VIT[1] - VIT[0], 24)}
        for block in range(1, BLOCKS + 1):
            self.places[str(block)] = (middle, row_of(block), VIT[1] - VIT[0], 22)
        for name, box in picture.boxes.items():
            self.places[name] = place_of(box)

    def svg(self, name: str) -> str:
        """Return the whole file."""
        self.lines.append(
            f'<rect class="paper" x="1" y="1" width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="8"/>'
        )
        self.text("title", VIT[0], 36, name)
        self.text("left", VIT[0], 58, self.picture.summary)
        for arrow in ("image ^ 1", *self.picture.arrows):
            self.chain(arrow.split())
        self.vit()
        for key, box in self.picture.boxes.items():
            self.box(self.places[key], box)
        self.legend()
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" role="img">\n<title>{name}: '
            f"{escaped(self.picture.summary)}</title>"
        )
        return "\n".join([head, f"<style>\n{style()}\n</style>", *self.lines, "</svg>\n"])

    def vit(self) -> None:
        """Draw the image and the column of blocks."""
        self.shape(self.places["image"], "plain")
        self.text("", *at(self.places["image"]), "image")
        for block in range(1, BLOCKS + 1):
            place = self.places[str(block)]
            taken = "tapped" if block in self.picture.taps else "block"
            self.shape(place, "inside" if block in self.picture.inside else taken)
            self.text("", *at(place), f"block {block}")
        label = (VIT[0] + VIT[1]) / 2, row_of(BLOCKS) + 28
        self.text("", *label, "ViT, stride p")

    def box(self, place: Place, box: Box) -> None:
        """Draw a box with its text and its stride."""
        x, y, wide, tall = place
        lines = box.text.split("\n")
        for line in lines:
            if len(line) * LETTER > wide + 4:
                raise ValueError(f"'{line}' is too long for its box of {wide} pixels")
        self.shape(place, box.kind)
        for number, line in enumerate(lines):
            self.text("", x, y + 4 + LINE * (number - (len(lines) - 1) / 2), line)
        if box.stride:
            self.text("stride", x - wide / 2 + 1, y - tall / 2 - 4, box.stride)

    def chain(self, words: list[str]) -> None:
        """Draw the arrows of a chain: a > b arrives from the side, a ^ b from above or below."""
        for start, way, end in zip(words[::2], words[1::2], words[2::2], strict=False):
            points = (sideways if way == ">" else upright)(self.places[start], self.places[end])
            path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
            self.lines.append(f'<polyline class="arrow" points="{path}"/>')
            self.tip(points)

    def tip(self, points: list[Point]) -> None:
        """Draw the head of an arrow, in the direction of its last piece."""
        (from_x, from_y), (x, y) = points[-2:]
        across, down = sign(x - from_x), sign(y - from_y)
        corners = [(x, y)]
        for side in (4, -4):
            corners.append((x - 7 * across + side * down, y - 7 * down + side * across))
        path = " ".join(f"{number(x)},{number(y)}" for x, y in corners)
        self.lines.append(f'<polygon class="tip" points="{path}"/>')

    def legend(self) -> None:
        """Explain the colours that are used, and the strides."""
        used = {box.kind for box in self.picture.boxes.values()} | {"block"}
        used |= {"tapped"} if self.picture.taps else {"inside"}
        x = VIT[0]
        for kind, (words, *_) in KINDS.items():
            if kind in used:
                self.shape((x + 8, HEIGHT - 43, 16, 12), kind)
                self.text("left", x + 22, HEIGHT - 39, words)
                x += 22 + LETTER * len(words) + 12
        self.text("left", VIT[0], HEIGHT - 16, STRIDES)

    def shape(self, place: Place, kind: str) -> None:
        """Draw a rectangle around a middle."""
        x, y, wide, tall = place
        self.lines.append(
            f'<rect class="{kind}" x="{number(x - wide / 2)}" y="{number(y - tall / 2)}" '
            f'width="{number(wide)}" height="{number(tall)}" rx="{11 if wide == SUM else 4}"/>'
        )

    def text(self, kind: str, x: float, y: float, words: str) -> None:
        """Write one line."""
        named = f' class="{kind}"' if kind else ""
        self.lines.append(f'<text{named} x="{number(x)}" y="{number(y)}">{escaped(words)}</text>')


def row_of(block: float) -> float:
    """Return the middle of a block's row; 0 is the image's."""
    return FIRST_ROW + ROW * (block - 1) - (8 if block == 0 else 0)


def place_of(box: Box) -> Place:
    """Return a box's middle, width and height."""
    x = FIRST_COLUMN + PITCH * (box.column + (box.columns - 1) / 2)
    if box.text == "+":
        return x, row_of(box.row), SUM, SUM
    return x, row_of(box.row), BOX + PITCH * (box.columns - 1), TALL if box.row else LOW


def sideways(start: Place, end: Place) -> list[Point]:
    """Return an arrow's corners: along the row, across between the columns, into the side."""
    forward = 1 if end[0] > start[0] else -1
    begin, arrive = start[0] + forward * start[2] / 2, end[0] - forward * end[2] / 2
    between = arrive - forward * 13
    if start[1] == end[1]:
        return [(begin, start[1]), (arrive, end[1])]
    return [(begin, start[1]), (between, start[1]), (between, end[1]), (arrive, end[1])]


def upright(start: Place, end: Place) -> list[Point]:
    """Return an arrow's corners: along the row where it must, then up or down into the end."""
    down = 1 if end[1] > start[1] else -1
    arrive = end[1] - down * end[3] / 2
    for x in (end[0], start[0]):
        if all(abs(x - middle) <= wide / 2 for middle, _, wide, _ in (start, end)):
            return [(x, start[1] + down * start[3] / 2), (x, arrive)]
    begin = start[0] + (1 if end[0] > start[0] else -1) * start[2] / 2
    return [(begin, start[1]), (end[0], start[1]), (end[0], arrive)]


def style() -> str:
    """Return the colours, for light and for dark surroundings."""
    light = [f".{k}{{fill:{v[1]};stroke:{v[2]};stroke-width:1.4}}" for k, v in KINDS.items()]
    dark = [f".{kind}{{fill:{v[3]};stroke:{v[4]}}}" for kind, v in KINDS.items()]
    inside = "\n".join([DARK, *dark])
    return "\n".join([STYLE, *light, f"@media (prefers-color-scheme:dark){{\n{inside}\n}}"])


def at(place: Place) -> Point:
    """Return where a text of one line stands in the middle of a place."""
    return place[0], place[1] + 4


def sign(value: float) -> int:
    """Return -1, 0 or 1."""
    return (value > 0) - (value < 0)


def number(value: float) -> str:
    """Return a number as it is written in the file."""
    return f"{value:.1f}".removesuffix(".0")


def escaped(words: str) -> str:
    """Return a text as XML holds it."""
    words = words.replace(" x ", " \u00d7 ")
    return words.replace("&", "&amp;").replace("<", "&lt;")


def main() -> None:
    """Write all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, picture in PICTURES.items():
        (folder / f"{name}.svg").write_text(Drawing(picture).svg(name), encoding="utf-8")


if __name__ == "__main__":
    main()
