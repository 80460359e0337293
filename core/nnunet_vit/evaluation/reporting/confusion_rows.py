"""Which class is taken for which, as shares of each class of the reference."""

from collections.abc import Sequence
from dataclasses import dataclass

from nnunet_vit.evaluation.mask_pairs import Task
from nnunet_vit.evaluation.overlays import legend_of
from nnunet_vit.evaluation.reporting.pixel_counts import PixelCounts

STEPS = 9  # of the tint


@dataclass(frozen=True)
class Share:
    """A share of a class's pixels.

    Attributes:
        name: of the class that was predicted.
        text: the share, as people read it.
        tint: from 0, none, to STEPS, all.
        right: whether it is the class itself.
    """

    name: str
    text: str
    tint: int
    right: bool


@dataclass(frozen=True)
class ConfusionRow:
    """A class of the reference: its name, its pixels, and what was predicted there."""

    name: str
    pixels: int
    shares: Sequence[Share]


def confusion_rows(counts: PixelCounts, task: Task) -> list[ConfusionRow]:
    """Return a row for each label of the masks, background first.

    Of regions, which overlap, these are the labels that they are made of.
    """
    names = {0: "background", **legend_of(task.labels).names}
    rows = []
    for number, (label, values) in enumerate(
        zip(counts.labels, counts.confusion.tolist(), strict=True)
    ):
        total = sum(values)
        shares = [
            _share(names[other], value, total, right=place == number)
            for place, (other, value) in enumerate(zip(counts.labels, values, strict=True))
        ]
        rows.append(ConfusionRow(names[label], total, shares))
    return rows


def _share(name: str, value: int, total: int, *, right: bool) -> Share:
    if not total:
        return Share(name, "-", 0, right)
    share = value / total
    text = "<0.1 %" if 0 < share < 0.0005 else f"{100 * share:.1f} %"
    return Share(name, text, round(STEPS * share), right)
