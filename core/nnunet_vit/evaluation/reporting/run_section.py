"""What the page says of one run, gathered from its source."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.evaluation.evaluate import measure
from nnunet_vit.evaluation.measurement import EMPTY_RULE, INTERVAL_RULE, Measurement, left_out_text
from nnunet_vit.evaluation.reporting.case_pictures import CasePictures, key_of, pictures_of
from nnunet_vit.evaluation.reporting.case_rows import CaseRow, CaseTable, case_table
from nnunet_vit.evaluation.reporting.charts import Chart
from nnunet_vit.evaluation.reporting.class_rows import ClassMetric, class_metrics
from nnunet_vit.evaluation.reporting.confusion_rows import ConfusionRow, confusion_rows
from nnunet_vit.evaluation.reporting.curve_charts import curve_charts
from nnunet_vit.evaluation.reporting.dice_charts import reliability_chart, size_chart
from nnunet_vit.evaluation.reporting.environment import environment_of
from nnunet_vit.evaluation.reporting.fold_history import history_of
from nnunet_vit.evaluation.reporting.home_folder import without_home
from nnunet_vit.evaluation.reporting.pixel_counts import count_pixels
from nnunet_vit.evaluation.reporting.run_facts import Facts, RunFacts, facts_of
from nnunet_vit.evaluation.reporting.run_source import RunSource
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.report.progress import Progress


@dataclass(frozen=True)
class Shown:
    """Cases with pictures.

    Attributes:
        worst: by mean Dice, the worst first.
        best: the best first; none of the worst is among them.
        pictures: by case.
        key: colours and what they mean.
        lacking: why some have none.
    """

    worst: Sequence[CaseRow]
    best: Sequence[CaseRow]
    pictures: Mapping[str, CasePictures]
    key: Sequence[tuple[str, str]]
    lacking: Sequence[str]


@dataclass(frozen=True)
class RunSection:
    """A run.

    Attributes:
        name: for the page's anchors: run-a.
        letter: of the run where there are several; else empty.
        facts: what it is.
        measurement: of its masks.
        mean: Dice of the classes' means.
        left_out: the classes that the mean is without, for people; empty: none.
        metrics: a row per class and metric.
        table: of the cases.
        shown: worst and best.
        curves: of the training; none where nothing is known.
        history: the files that said so.
        size: Dice by size; None: no reference has a pixel.
        reliability: None where probabilities are not at hand.
        confusion: of the classes.
        environment: names and values.
    """

    name: str
    letter: str
    facts: RunFacts
    measurement: Measurement
    mean: float
    left_out: str
    metrics: Sequence[ClassMetric]
    table: CaseTable
    shown: Shown
    curves: Sequence[Chart]
    history: Sequence[str]
    size: Chart | None
    reliability: Chart | None
    confusion: Sequence[ConfusionRow]
    environment: Facts

    def place(self, row: CaseRow) -> int:
        """Return where a case stands in the table, from 1: its anchor."""
        return self.table.rows.index(row) + 1

    @property
    def rules(self) -> list[str]:
        """What the metrics mean and how they were computed."""
        return [*self.measurement.definitions(), INTERVAL_RULE, EMPTY_RULE]


def run_section(
    source: RunSource,
    wanted: Wanted,
    progress: Progress,
    *,
    name: str,
    letter: str,
    images: Mapping[str, Path],
    most: int,
) -> RunSection:
    """Measure a run and gather what the page says of it.

    Args:
        source: where it lies.
        wanted: what to measure, Dice among it.
        progress: where to show what happens.
        name: of the section.
        letter: of the run, or nothing.
        images: the file of each case's first channel; empty: nobody knows where they lie.
        most: cases to show at either end.

    Raises:
        DataError: masks are not what they seem.
    """
    task = source.results.task
    _, measurement = measure(source.pairs, task, wanted, progress=progress, name=str(source.given))
    table = case_table(measurement, source.folds_of_cases())
    histories = [history_of(fold, measurement.classes) for fold in source.fold_folders()]
    for notice in filter(None, (history.notice for history in histories)):
        progress.warn(notice)
    pixels = count_pixels(source.pairs, task, progress, voxels=_voxels(measurement))
    dice = next(metric for metric in measurement.metrics if metric.name == "dice")
    return RunSection(
        name,
        letter,
        facts_of(source),
        measurement,
        measurement.mean_of_classes(dice),
        left_out_text(measurement.means(dice)),
        class_metrics(measurement),
        table,
        _shown(table.rows, source, images, most=most, progress=progress),
        curve_charts(name, [history for history in histories if history.epochs]),
        list(dict.fromkeys(history.source for history in histories if history.source)),
        size_chart(f"{name}-size", measurement),
        reliability_chart(f"{name}-reliability", pixels.reliability, pixels.differing),
        confusion_rows(pixels, task),
        environment_of(source.fold_folders()),
    )


def _voxels(measurement: Measurement) -> int:
    """Return how many pixels of the largest case count, whatever its class."""
    counts = (next(iter(case.counts.values())) for case in measurement.cases)
    return max(1, *(int(sum(each.values())) for each in counts))


def _shown(
    rows: Sequence[CaseRow],
    source: RunSource,
    images: Mapping[str, Path],
    *,
    most: int,
    progress: Progress,
) -> Shown:
    """Return the cases at both ends; of few cases each is shown once."""
    ordered = sorted((row for row in rows if not math.isnan(row.dice)), key=lambda row: row.dice)
    worst = ordered[: min(most, -(-len(ordered) // 2))]
    best = sorted(ordered[len(worst) :], key=lambda row: -row.dice)[:most]
    task = source.results.task
    wanted = {row.name for row in (*worst, *best)}
    if not images or not wanted:
        return Shown(worst, best, {}, [], [without_home(_no_images(source))] if wanted else [])
    pairs = {
        case: pair
        for case, pair in zip(sorted(source.results.masks), source.pairs, strict=True)
        if case in wanted
    }
    pictures, lacking = pictures_of(pairs, images, task, progress=progress)
    return Shown(worst, best, pictures, key_of(task), [without_home(why) for why in lacking])


def _no_images(source: RunSource) -> str:
    """Say where images were looked for, and what to do."""
    places = ", ".join(map(str, source.image_folders()))
    looked = f"there are no images in {places}" if places else "no folder of images is known"
    return f"{looked}; --images FOLDER names where they lie."
