"""vit_cli report: runs as one page that opens offline."""

from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[
    list[Path],
    typer.Argument(
        help="model folders or folds of them, ours or nnU-Net's, merged validations, or masks"
    ),
]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="the page; a report there is replaced")
]
References = Annotated[
    Path | None,
    typer.Option("--references", "-r", help="folder of true masks; default: of the validation"),
]
Images = Annotated[
    Path | None,
    typer.Option("--images", "-i", help="folder of images; default: of the raw dataset"),
]
Folds = Annotated[list[int] | None, typer.Option(help="0 1 …; default: all that are validated")]
Metrics = Annotated[list[str] | None, typer.Option(help="as of evaluate; Dice is always there")]
Worst = Annotated[
    int, typer.Option(min=0, max=100, help="cases with pictures, and as many of the best")
]
Patients = Annotated[
    str | None,
    typer.Option(help="finds the patient in a case's name: '^(P[0-9]+)_'; default: data.groups"),
]


def report(
    runs: Runs,
    output: Output = Path("report.html"),
    references: References = None,
    images: Images = None,
    folds: Folds = None,
    metrics: Metrics = None,
    worst: Worst = 10,
    patients: Patients = None,
) -> None:
    """Write a page of runs: curves, metrics, all cases, the worst and best as pictures."""
    from nnunet_vit.quantities import bytes_text
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.evaluation.reporting.build_report import ReportRequest, write_report

        size = write_report(
            ReportRequest(runs, output, references, images, folds, metrics, patients, worst),
            progress,
        )
        progress.close()
        progress.log(f"Report: {output} ({bytes_text(size)})")
