"""The table of all cases: a row for each, its values as texts and as numbers to sort by."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnunet_vit.evaluation.measurement import Measurement
from nnunet_vit.evaluation.measuring import CaseValues
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.evaluation.metric_table import NONE, value_text
from nnunet_vit.evaluation.reporting.dice_charts import reference_size

MOST_CELLS = 60_000  # of a table: pages with more open slowly


@dataclass(frozen=True)
class Column:
    """A column of values.

    Attributes:
        title: of the column.
        metric: its name, by which columns are shown and hidden together; empty: always shown.
    """

    title: str
    metric: str = ""


@dataclass(frozen=True)
class Cell:
    """A value as people and as programs read it; the number is empty where there is none."""

    text: str
    number: str


@dataclass(frozen=True)
class CaseRow:
    """A case.

    Attributes:
        name: of the case.
        fold: that predicted it; empty: not known.
        dice: mean over the classes that have a value; NaN: none has.
        cells: in the order of the columns.
    """

    name: str
    fold: str
    dice: float
    cells: Sequence[Cell]


@dataclass(frozen=True)
class CaseTable:
    """All cases.

    Attributes:
        columns: after name and fold.
        rows: of all cases.
        choices: the metrics to choose among, by name.
        left_out: whether there was no room for metrics.
    """

    columns: Sequence[Column]
    rows: Sequence[CaseRow]
    choices: Mapping[str, str]
    left_out: bool


def case_table(measurement: Measurement, folds: Mapping[str, str]) -> CaseTable:
    """Return the table; folds: of each case, none where they are not known."""
    metrics = list(measurement.metrics)
    cells = len(measurement.cases) * len(measurement.classes)
    metrics.sort(key=lambda metric: metric.name != "dice")  # which always has room
    shown = metrics[: max(1, MOST_CELLS // cells - 1)]
    columns = [Column("mean Dice")]
    columns += [Column(f"{name} {m.title}", m.name) for m in shown for name in measurement.classes]
    columns += [Column(f"{name} pixels", "pixels") for name in measurement.classes]
    rows = [_row(case, folds.get(case.name, ""), shown) for case in measurement.cases]
    choices = {metric.name: metric.title for metric in shown} | {"pixels": "size in the reference"}
    return CaseTable(columns, rows, choices, len(shown) < len(metrics))


def mean_dice(case: CaseValues) -> float:
    """Return a case's mean Dice over the classes that have a value."""
    found = [v["dice"] for v in case.values.values() if not math.isnan(v["dice"])]
    return sum(found) / len(found) if found else math.nan


def _row(case: CaseValues, fold: str, shown: Sequence[Metric]) -> CaseRow:
    dice = mean_dice(case)
    cells = [_cell(dice, f"{dice:.3f}")]
    for metric in shown:
        for values in case.values.values():
            value = values[metric.name]
            cells.append(_cell(value, value_text(value, metric)))
    for name in case.values:
        size = reference_size(case, name)
        cells.append(_cell(size, f"{size:.0f}"))
    return CaseRow(case.name, fold, dice, cells)


def _cell(value: float, text: str) -> Cell:
    return Cell(NONE, "") if math.isnan(value) else Cell(text, f"{value:.6g}")
