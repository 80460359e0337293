"""The sizes, values and classes of a dataset, from the looks at its cases."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from nnunet_vit.data.checking.examining import Examined
from nnunet_vit.data.checks.images import ImageFacts
from nnunet_vit.data.dataset import channel_names_in_order
from nnunet_vit.data.labels import labels_of
from nnunet_vit.errors import counted
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.quantities import shape_text, sizes_text


@dataclass(frozen=True)
class ChannelSummary:
    """The values of a channel over all sound images: its name, least, greatest, mean of means."""

    name: str
    low: float
    high: float
    mean: float


@dataclass(frozen=True)
class ClassSummary:
    """How much there is of a class or region.

    Attributes:
        name: of dataset.json.
        share: of all pixels that are not to be ignored.
        cases: how many hold it.
    """

    name: str
    share: float
    cases: int


@dataclass(frozen=True)
class Summary:
    """What a dataset is made of, as far as its files are sound.

    Attributes:
        cases: how many there are.
        sizes: smallest, median and largest (Z, Y, X), each axis for itself; empty: not known.
        spacings: likewise; empty where the format has none.
        channels: in order.
        classes: foreground.
    """

    cases: int
    sizes: tuple[tuple[int, ...], ...]
    spacings: tuple[tuple[float, ...], ...]
    channels: tuple[ChannelSummary, ...]
    classes: tuple[ClassSummary, ...]

    def as_text(self) -> str:
        """Return it in lines."""
        lines = [f"{counted(self.cases, 'case')}, {counted(len(self.channels), 'channel')}"]
        if self.sizes:
            low, middle, high = map(shape_text, self.sizes)
            lines.append(f"sizes: {low} to {high}, median {middle}")
        if self.spacings:
            low, middle, high = map(sizes_text, self.spacings)
            lines.append(f"spacings: {low} to {high}, median {middle}")
        lines += [
            f"values of {one.name}: {one.low:g} to {one.high:g}, mean {one.mean:.4g}"
            for one in self.channels
        ]
        lines += [
            f"{one.name}: {100 * one.share:.3g} % of the pixels, in {one.cases} of {self.cases} "
            "cases"
            for one in self.classes
        ]
        return "\n".join(f"  {line}" if number else line for number, line in enumerate(lines))

    def as_json(self) -> JsonObject:
        """Return it as an object."""
        return asdict(self)


def summary_of(examined: Examined) -> Summary:
    """Return what a dataset is made of."""
    images = [seen.image for seen in examined.seen.values() if seen.image]
    spacings = [image.spacing for image in images if image.spacing and image.placement]
    sizes = _range([image.shape for image in images])
    return Summary(
        len(examined.cases),
        tuple(tuple(round(edge) for edge in size) for size in sizes),
        _range(spacings),
        tuple(_channels(examined, images)),
        tuple(_classes(examined)),
    )


def _range(sizes: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    if not sizes:
        return ()
    axes = list(zip(*sizes, strict=True))
    return tuple(tuple(float(one(axis)) for axis in axes) for one in (min, median, max))


def _channels(examined: Examined, images: Sequence[ImageFacts]) -> list[ChannelSummary]:
    figures = [image.figures for image in images if image.figures]
    if not figures:
        return []
    return [
        ChannelSummary(
            name,
            min(one.lows[channel] for one in figures),
            max(one.highs[channel] for one in figures),
            sum(one.means[channel] for one in figures) / len(figures),
        )
        for channel, name in enumerate(channel_names_in_order(examined.dataset.description))
    ]


def _classes(examined: Examined) -> list[ClassSummary]:
    labels = labels_of(examined.dataset.description)
    counts = [
        dict(zip(seen.label.present, seen.label.pixels, strict=True))
        for seen in examined.seen.values()
        if seen.label
    ]
    total = sum(n for count in counts for value, n in count.items() if value != labels.ignore)
    found = []
    for name, values in labels.classes.items():
        pixels = [sum(count.get(value, 0) for value in values) for count in counts]
        found.append(ClassSummary(name, sum(pixels) / max(1, total), sum(map(bool, pixels))))
    return found
