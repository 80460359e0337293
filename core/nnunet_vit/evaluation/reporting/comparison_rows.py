"""Several runs on the same cases, as the rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nnunet_vit.errors import UserError
from nnunet_vit.evaluation.comparing.compare import check_same
from nnunet_vit.evaluation.comparing.comparison import Comparison, Row
from nnunet_vit.evaluation.comparing.comparison_table import RULE
from nnunet_vit.evaluation.comparing.run_results import RunResults
from nnunet_vit.evaluation.measurement import Measurement
from nnunet_vit.evaluation.metric_table import value_text
from nnunet_vit.quantities import decimal_text
from nnunet_vit.report.letters import letter


@dataclass(frozen=True)
class Difference:
    """Two runs in one class: texts as the table has them."""

    pair: str
    mean: str
    interval: str
    p: str
    effect: str
    verdict: str


@dataclass(frozen=True)
class ClassOfRuns:
    """A class in all runs: its name, each run's mean Dice, and the differences."""

    name: str
    means: Sequence[str]
    differences: Sequence[Difference]


@dataclass(frozen=True)
class ComparedRuns:
    """Several runs side by side.

    Attributes:
        letters: of the runs.
        names: of the runs.
        classes: with their mean; none where the runs cannot be compared.
        rule: how a difference is told from noise, or why the runs cannot be compared.
    """

    letters: Sequence[str]
    names: Sequence[str]
    classes: Sequence[ClassOfRuns]
    rule: str


def compared_runs(
    runs: Sequence[RunResults], measurements: Sequence[Measurement], patients: Mapping[str, str]
) -> ComparedRuns:
    """Return the Dice of runs side by side.

    Args:
        runs: two or more.
        measurements: of each run.
        patients: of each case.
    """
    letters = [letter(number) for number in range(len(runs))]
    try:
        check_same(runs)
    except UserError as error:
        return ComparedRuns(letters, [run.name for run in runs], [], error.problem)
    dice = [replace(m, metrics=[x for x in m.metrics if x.name == "dice"]) for m in measurements]
    found = Comparison(runs, dice, patients)
    metric = found.metrics[0]
    classes = [
        ClassOfRuns(
            name,
            [value_text(found.mean(run, metric, name), metric) for run in range(len(runs))],
            [_difference(row) for row in found.rows if row.class_name == name],
        )
        for name in found.classes
    ]
    return ComparedRuns(letters, found.names, classes, RULE)


def _difference(row: Row) -> Difference:
    found = row.difference
    better = "may be noise" if row.better is None else f"{letter(row.better)} is better"
    return Difference(
        f"{letter(row.other)} \N{MINUS SIGN} {letter(row.one)}",
        decimal_text(found.mean, 3, signed=True),
        found.interval_text(3),
        f"{found.p_holm:.2g}",
        decimal_text(found.effect, 2, signed=True),
        better,
    )
