"""The page of runs."""

from collections.abc import Sequence

from nnunet_vit.evaluation.reporting.comparison_rows import ComparedRuns
from nnunet_vit.evaluation.reporting.own_page import rendered
from nnunet_vit.evaluation.reporting.run_section import RunSection

VERB = "report"
PARTS = {
    "summary": "Summary", "curves": "Curves", "metrics": "Metrics", "cases": "Cases",
    "pictures": "Worst and best", "confusion": "Confusion", "size": "Size and calibration",
    "again": "Environment",
}  # fmt: skip


def page_text(runs: Sequence[RunSection], compared: ComparedRuns | None, again: str) -> str:
    """Return the page.

    Args:
        runs: one or more.
        compared: of several runs; None: of one.
        again: the command that makes the page again.
    """
    from markupsafe import Markup

    level = "h2" if compared else "h1"
    return rendered(
        "page.html",
        VERB,
        title=_title(runs),
        runs=runs,
        compared=compared,
        parts=PARTS,
        heading=(Markup(f'<{level} class="run-title"'), Markup(f"</{level}>")),
        again=again,
    )


def _title(runs: Sequence[RunSection]) -> str:
    if len(runs) == 1:
        return runs[0].facts.title
    datasets = {dict(run.facts.facts).get("Dataset", "") for run in runs}
    return f"{len(runs)} runs of {' and '.join(sorted(filter(None, datasets))) or 'masks'}"
