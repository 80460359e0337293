"""The page of a dataset: what it is made of, what is wrong with it, and how its cases look."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.checking.check_dataset import Checked
from nnunet_vit.data.checking.summary import Summary, summary_of
from nnunet_vit.data.faults import sentence
from nnunet_vit.data.labels import labels_of
from nnunet_vit.errors import counted
from nnunet_vit.evaluation.overlays import legend_of
from nnunet_vit.evaluation.reporting.case_pictures import css_colour
from nnunet_vit.evaluation.reporting.data_thumbnails import cases_to_show, thumbnails
from nnunet_vit.evaluation.reporting.home_folder import command_text, without_home
from nnunet_vit.evaluation.reporting.own_page import check_output, rendered
from nnunet_vit.files.writing import write_text
from nnunet_vit.quantities import shape_text, sizes_text
from nnunet_vit.report.progress import Progress

VERB, OPTION = "check-data", "--html"
MOST = 500  # rows of the table of bad files
SIZES, BINS = 12, 12  # bars
PARTS = {
    "summary": "Summary", "offenders": "Errors", "warnings": "Warnings", "classes": "Classes",
    "sizes": "Sizes", "intensities": "Intensities", "pictures": "Cases", "again": "Make again",
}  # fmt: skip


@dataclass(frozen=True)
class Bar:
    """A bar: what it stands for, its length as per cent of the longest, its value in words."""

    name: str
    length: float
    text: str


def check_page(path: Path) -> None:
    """Refuse to write where something else than such a page lies, before anything is read."""
    check_output(path, OPTION, VERB)


def write_data_page(checked: Checked, path: Path, wanted: str, *, progress: Progress) -> int:
    """Write the page of a dataset and return its size in bytes.

    Args:
        checked: what was found.
        path: of the page, which `check_page` has looked at.
        wanted: the dataset as it was asked for.
        progress: where to show the cases that are drawn.

    Raises:
        MachineError: it cannot be written.
    """
    examined, findings, summary = checked.examined, checked.findings, summary_of(checked.examined)
    sound, bad = cases_to_show(examined)
    legend = legend_of(labels_of(checked.dataset.description))
    text = rendered(
        "data.html",
        VERB,
        title=f"{checked.dataset.name}: its data",
        parts=PARTS,
        again=command_text(["vit_cli", VERB, wanted, OPTION, str(path)]),
        name=checked.dataset.name,
        cases=len(examined.cases),
        facts=_facts(checked, summary),
        errors=findings.all_errors,
        files=[(f.file.name, f.file.parent.name, f.problem, f.remedy) for f in findings.files],
        most=MOST,
        warnings=[sentence(warning) for warning in findings.warnings],
        classes=_class_bars(summary),
        sizes=_size_bars(checked),
        channels=summary.channels,
        intensities=_intensities(checked, summary),
        key=[(css_colour(legend.colour(label)), name) for label, name in legend.names.items()],
        shown={
            "Bad": thumbnails(examined, bad, progress) if bad else [],
            "Sound": thumbnails(examined, sound, progress) if sound else [],
        },
    )
    write_text(text, path)
    return len(text.encode())


def _facts(checked: Checked, summary: Summary) -> list[tuple[str, str]]:
    findings = checked.findings
    facts = [
        ("Folder", without_home(str(checked.dataset.raw))),
        ("Channels", ", ".join(one.name for one in summary.channels) or "not known"),
        ("File ending", str(checked.dataset.description["file_ending"])),
        ("Bad files", str(len({fault.file for fault in findings.files}))),
        ("Warnings", str(len(findings.warnings))),
        ("Images to predict", counted(len(checked.examined.tests), "case")),
    ]
    if summary.spacings:
        facts.append(("Median spacing (Z, Y, X)", sizes_text(summary.spacings[1])))
    return facts


def _bars(rows: Iterable[tuple[str, float, str]]) -> list[Bar]:
    rows = list(rows)
    longest = max((value for _, value, _ in rows), default=0) or 1
    return [Bar(name, round(100 * value / longest, 2), text) for name, value, text in rows]


def _class_bars(summary: Summary) -> list[Bar]:
    return _bars(
        (one.name, one.share, f"{100 * one.share:.3g} % in {one.cases} of {summary.cases}")
        for one in summary.classes
    )


def _size_bars(checked: Checked) -> list[Bar]:
    shapes = Counter(seen.image.shape for seen in checked.examined.seen.values() if seen.image)
    common = shapes.most_common(SIZES)
    rows = [(shape_text(shape), float(number), counted(number, "case")) for shape, number in common]
    rest = sum(shapes.values()) - sum(number for _, number in common)
    if rest:
        others = f"{len(shapes) - SIZES} other sizes"
        rows.append((others, float(rest), counted(rest, "case")))
    return _bars(rows)


def _intensities(checked: Checked, summary: Summary) -> list[tuple[str, list[Bar]]]:
    """Return, for each channel, how many images have a mean in which range."""
    figures = [s.image.figures for s in checked.examined.seen.values() if s.image]
    known = [one for one in figures if one is not None]
    return [
        (channel.name, _bars(_histogram([one.means[number] for one in known])))
        for number, channel in enumerate(summary.channels)
    ]


def _histogram(values: Sequence[float]) -> list[tuple[str, float, str]]:
    low, high = min(values), max(values)
    if math.isclose(low, high):
        return [(f"{low:.4g}", float(len(values)), counted(len(values), "case"))]
    step = (high - low) / BINS
    counts = Counter(min(BINS - 1, int((value - low) / step)) for value in values)
    return [
        (
            f"{low + place * step:.4g} to {low + (place + 1) * step:.4g}",
            float(counts[place]),
            counted(counts[place], "case"),
        )
        for place in range(BINS)
    ]
