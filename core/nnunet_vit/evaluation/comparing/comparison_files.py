"""A comparison as files: CSV of all numbers, a LaTeX table, a picture of the differences."""

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.evaluation.comparing.comparison import Comparison
from nnunet_vit.evaluation.comparing.comparison_picture import draw
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.evaluation.metric_table import value_text
from nnunet_vit.files.writing import replacing
from nnunet_vit.report.letters import letter

COLUMNS = (
    "metric", "class", "run", "other_run", "mean", "other_mean", "difference", "low", "high",
    "p", "p_holm", "effect", "higher", "lower", "cases", "patients", "better",
)  # fmt: skip
SPECIAL = str.maketrans(
    {sign: f"\\{sign}" for sign in "_%&#${}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
)


def write_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write comparison.csv, .tex and .png into a folder and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"comparison.csv": _csv(comparison), "comparison.tex": latex(comparison)}
    for name, text in texts.items():
        with replacing(folder / name) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    picture = folder / "comparison.png"
    draw(comparison, picture)
    return [*(folder / name for name in texts), picture]


def latex(comparison: Comparison) -> str:
    """Return a table of means and standard deviations, the best bold (needs booktabs)."""
    runs = range(len(comparison.runs))
    names = [f"% {letter(run)}: {comparison.names[run]}" for run in runs]
    head = " & ".join(["metric", "class", *map(letter, runs)])
    rows = [
        " & ".join(
            [metric.title.translate(SPECIAL), name.translate(SPECIAL),
             *_cells(comparison, metric, name)]
        )
        for metric in comparison.metrics
        for name in comparison.classes
    ]  # fmt: skip
    body = " \\\\\n".join(rows)
    return "\n".join(
        [*names, f"\\begin{{tabular}}{{ll{'r' * len(runs)}}}", "\\toprule", f"{head} \\\\",
         "\\midrule", f"{body} \\\\", "\\bottomrule", "\\end{tabular}", ""]
    )  # fmt: skip


def _csv(comparison: Comparison) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(comparison))
    return text.getvalue()


def _rows(comparison: Comparison) -> Iterator[list[object]]:
    names = comparison.names
    for row in comparison.rows:
        found = row.difference
        means = (comparison.mean(run, row.metric, row.class_name) for run in (row.one, row.other))
        yield [
            row.metric.name, row.class_name, names[row.one], names[row.other], *means,
            found.mean, found.low, found.high, found.p, found.p_holm, found.effect,
            found.higher, found.lower, found.cases, found.patients,
            "" if row.better is None else names[row.better],
        ]  # fmt: skip


def _cells(comparison: Comparison, metric: Metric, name: str) -> Iterator[str]:
    runs = range(len(comparison.runs))
    means = [comparison.mean(run, metric, name) for run in runs]
    known = [mean for mean in means if not math.isnan(mean)]
    best = (min if metric.lower_is_better else max)(known) if known else math.nan
    for run, mean in zip(runs, means, strict=True):
        sd = comparison.sd(run, metric, name)
        shown = value_text(mean, metric)
        bold = f"\\textbf{{{shown}}}" if mean == best else shown
        yield f"{bold} $\\pm$ {value_text(sd, metric)}"
