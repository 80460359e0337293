"""vit_cli compare: runs on the same cases, nnU-Net's own among them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nnunet_vit.evaluation.comparing.comparison import Comparison
    from nnunet_vit.report.progress import Progress


Runs = Annotated[
    list[Path], typer.Argument(help="model folders, ours or nnU-Net's, or folders of masks")
]
References = Annotated[
    Path | None,
    typer.Option("--references", "-r", help="folder of true masks; default: of the validation"),
]
Folds = Annotated[list[int] | None, typer.Option(help="0 1 …; default: all that are validated")]
Patients = Annotated[
    str | None,
    typer.Option(help="finds the patient in a case's name: '^(P[0-9]+)_'; default: data.groups"),
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="folder for CSV, LaTeX and pictures")
]
Images = Annotated[
    Path | None,
    typer.Option(
        "--images", "-i", help="of images, to draw what got worse; default: the raw dataset's"
    ),
]


def compare(
    runs: Runs,
    references: References = None,
    folds: Folds = None,
    metrics: Annotated[list[str] | None, typer.Option(help="as of evaluate; default: dice")] = None,
    patients: Patients = None,
    output: Output = None,
    images: Images = None,
) -> None:
    """Compare runs on the same cases: differences with intervals, tests, and what may be noise."""
    from nnunet_vit.report.quiet import quiet_libraries

    _check_places(output, images)
    with quiet_libraries() as progress:
        from nnunet_vit.evaluation.comparing.compare import compare_runs
        from nnunet_vit.evaluation.comparing.comparison_files import write_comparison
        from nnunet_vit.evaluation.comparing.comparison_table import comparison_text
        from nnunet_vit.evaluation.comparing.run_cost import cost_of
        from nnunet_vit.evaluation.wanted import Wanted

        found = compare_runs(runs, progress, references=references, folds=folds,
                             wanted=Wanted(metrics or ("dice",)), patients=patients)  # fmt: skip
        costs = [cost_of(run.path, run.folds) for run in found.runs]
        progress.log(comparison_text(found, costs))
        if output is not None:
            files = write_comparison(found, output)
            progress.log(f"Written: {', '.join(map(str, files))}")
            _draw_worse(found, output, references, images=images, progress=progress)


def _check_places(output: Path | None, images: Path | None) -> None:
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.files.writable import check_writable

    if output is not None and output.exists() and not output.is_dir():
        raise ConfigError(f"--output {output} is a file.", fix="a folder, which is made.")
    if output is not None:
        check_writable(output, f"--output {output}")
    if images is not None and not (output and images.is_dir()):
        reason = "needs --output FOLDER" if images.is_dir() else "is no folder"
        raise ConfigError(f"--images {images} {reason}.")


def _draw_worse(
    found: "Comparison",
    output: Path,
    references: Path | None,
    *,
    images: Path | None,
    progress: "Progress",
) -> None:
    from nnunet_vit.evaluation.comparing.compare import found_references
    from nnunet_vit.evaluation.comparing.worst_cases import write_worse_cases
    from nnunet_vit.evaluation.reporting.run_source import open_source

    truth = references or found_references([run.path for run in found.runs])
    sources = [open_source(run.path, run.folds, truth) for run in found.runs]
    files = next((there for source in sources if (there := source.images(images))), {})
    if not files:
        progress.log("The cases that got worse are not drawn: --images FOLDER, with the images.")
        return
    write_worse_cases(found, truth, files, output, progress=progress)
