"""Charts of what was predicted: Dice by size, and probabilities beside frequencies."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nnunet_vit.errors import counted
from nnunet_vit.evaluation.measurement import Measurement
from nnunet_vit.evaluation.measuring import CaseValues
from nnunet_vit.evaluation.reporting.axes import axis_of
from nnunet_vit.evaluation.reporting.charts import Chart, Point, Series

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

MOST_DOTS = 2500  # of a chart; more are thinned out
ALL_PIXELS = (
    "Each dot is one of 15 equal bins of the probability, over the pixels of all cases. Dots below "
    "the diagonal: the model is too sure."
)


def size_chart(name: str, measurement: Measurement) -> Chart | None:
    """Return Dice by the reference's size; None: no reference has a pixel of any class."""
    every = {one: _dots(one, measurement) for one in measurement.classes}
    total = sum(map(len, every.values()))
    if not total:
        return None
    step = -(-total // MOST_DOTS)
    series = [
        Series(one, [p for p, _ in dots], colour, texts=[text for _, text in dots])
        for colour, (one, all_dots) in enumerate(every.items())
        if (dots := all_dots[::step])
    ]
    sizes = [x for one in series for x, _ in one.points]
    note = f"One in {step} cases is shown." if step > 1 else ""
    return Chart(
        name,
        "Size against Dice",
        " ".join(_told(one) for one in series),
        axis_of("size in the reference, pixels", sizes, log=True),
        axis_of("Dice", (), low=0.0, high=1.0),
        series,
        joined=False,
        note=f"A dot for each case whose reference has the class. {note}".strip(),
    )


def _dots(name: str, measurement: Measurement) -> list[tuple[Point, str]]:
    found = []
    for case in measurement.cases:
        size, dice = reference_size(case, name), case.values[name]["dice"]
        if size and not math.isnan(dice):
            text = f"{case.name}, {name}: {size:.0f} pixels, Dice {dice:.3f}"
            found.append(((size, dice), text))
    return found


def reference_size(case: CaseValues, name: str) -> float:
    """Return the pixels of a class in the reference."""
    return case.counts[name]["TP"] + case.counts[name]["FN"]


def _told(series: Series) -> str:
    """Say how the smaller half of the objects compares with the larger one."""
    ordered = [dice for _, dice in sorted(series.points)]
    half = len(ordered) // 2
    if not half:
        return f"{series.name}: one case, Dice {ordered[0]:.3f}."
    small, large = (sum(part) / len(part) for part in (ordered[:half], ordered[half:]))
    return (
        f"{series.name}: mean Dice {small:.3f} in the smaller half of the cases, {large:.3f} in "
        "the larger half."
    )


def reliability_chart(
    name: str, reliability: Mapping[str, "Array"], differing: int = 0
) -> Chart | None:
    """Return frequency by probability; None: probabilities are not at hand.

    Args:
        name: of the chart.
        reliability: of each class, as `PixelCounts` has it.
        differing: masks that are not what their probabilities say.
    """
    if not reliability:
        return None
    told = (
        f" {counted(differing, 'mask')} {'is' if differing == 1 else 'are'} not what "
        f"{'its' if differing == 1 else 'their'} probabilities say: post-processed, or of another "
        "prediction. The diagram is of the probabilities."
    )
    series = [
        Series(one, _means(counts), colour, texts=_texts(one, counts))
        for colour, (one, counts) in enumerate(reliability.items())
    ]
    return Chart(
        name,
        "Reliability",
        " ".join(f"{one.name}: {_gap(reliability[one.name])}" for one in series),
        axis_of("probability of the class", (), low=0.0, high=1.0),
        axis_of("share of pixels that are of it", (), low=0.0, high=1.0),
        series,
        diagonal=True,
        joined=False,
        note=ALL_PIXELS + (told if differing else ""),
    )


def _filled(counts: "Array") -> list[tuple[float, float, float]]:
    return [(n, p, t) for n, p, t in counts.T.tolist() if n]


def _means(counts: "Array") -> list[Point]:
    return [(p / n, t / n) for n, p, t in _filled(counts)]


def _texts(name: str, counts: "Array") -> Sequence[str]:
    return [
        f"{name}: probability {p / n:.3f}, right in {t / n:.1%} of {n:.0f} pixels"
        for n, p, t in _filled(counts)
    ]


def _gap(counts: "Array") -> str:
    error = sum(abs(p - t) for _, p, t in _filled(counts)) / counts[0].sum()
    return f"calibration error over all pixels {error:.4f}."
