"""A comparison as lines for people: runs, means, differences, and which of them may be noise."""

from collections.abc import Iterator, Sequence

from nnunet_vit.errors import counted
from nnunet_vit.evaluation.comparing.comparison import Comparison, Row
from nnunet_vit.evaluation.comparing.paired_statistics import LEVEL
from nnunet_vit.evaluation.comparing.run_cost import Cost
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.evaluation.metric_table import value_text
from nnunet_vit.quantities import decimal_text
from nnunet_vit.report.letters import letter

RULE = (
    f"A difference counts where p is below {LEVEL:g} and the 95 % bootstrap interval of the mean "
    "leaves out 0; all others may be noise. p: the larger one of Wilcoxon's signed-rank and "
    "Student's paired test of patients, with Holm's correction for all differences of a metric. "
    "Where a case lacks a class, a run that found none has the best value, if another found one. "
    "Effect: matched-pairs rank-biserial correlation."
)


def comparison_text(comparison: Comparison, costs: Sequence[Cost]) -> str:
    """Return the comparison; costs: of each run."""
    lines = list(_runs(comparison, costs))
    for metric in comparison.metrics:
        unit = metric.unit(comparison.measurements[0].unit)
        lines.append(f"{metric.title} ({unit})" if unit else metric.title)
        for name in comparison.classes:
            lines += _block(comparison, metric, name)
    return "\n".join([*lines, *comparison.measurements[0].definitions(), RULE])


def _runs(comparison: Comparison, costs: Sequence[Cost]) -> Iterator[str]:
    for number, (run, cost) in enumerate(zip(comparison.runs, costs, strict=True)):
        folds = f"folds {' '.join(map(str, run.folds))}" if run.folds else "masks"
        told = ", ".join(part for part in (folds, cost.as_text()) if part)
        yield f"{letter(number)}  {comparison.names[number]} ({told})"
    cases, patients = len(comparison.patients), len(set(comparison.patients.values()))
    of = f" of {counted(patients, 'patient')}" if patients < cases else ""
    yield f"{counted(cases, 'case')}{of}"


def _block(comparison: Comparison, metric: Metric, name: str) -> Iterator[str]:
    means = [
        f"{letter(run)} {value_text(comparison.mean(run, metric, name), metric)}"
        for run in range(len(comparison.runs))
    ]
    yield f"  {name}: {'  '.join(means)}"
    left_out = comparison.left_out(metric, name)
    if left_out:
        yield f"    {counted(left_out, 'case')} without a value in some run: left out"
    for row in comparison.rows:
        if (row.metric.name, row.class_name) == (metric.name, name):
            yield from _row(row)


def _row(row: Row) -> Iterator[str]:
    found, places = row.difference, 2 if row.metric.in_length else 3
    pair = f"    {letter(row.other)} - {letter(row.one)}  "
    verdict = "may be noise" if row.better is None else f"{letter(row.better)} is better"
    yield (
        f"{pair}{decimal_text(found.mean, places, signed=True)} ({found.interval_text(places)})"
        f"  p {found.p_holm:.2g}  effect {decimal_text(found.effect, 2, signed=True)}"
    )
    yield (
        f"{'':<{len(pair)}}higher in {found.higher}, lower in {found.lower} of "
        f"{counted(found.cases, 'case')}: {verdict}"
    )
