"""vit_cli compare: runs on the same cases, nnU-Net's own among them."""

from pathlib import Path
from typing import Annotated

import typer


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="model folders, ours or nnU-Net's, or folders of masks")
    ],
    references: Annotated[
        Path | None,
        typer.Option("--references", "-r", help="folder of true masks; default: of the validation"),
    ] = None,
    folds: Annotated[
        list[int] | None, typer.Option(help="0 1 …; default: all that are validated")
    ] = None,
    metrics: Annotated[list[str] | None, typer.Option(help="as of evaluate; default: dice")] = None,
    patients: Annotated[
        str | None, typer.Option(help="finds the patient in a case's name: '^(P[0-9]+)_'")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="folder for CSV, LaTeX and a picture")
    ] = None,
) -> None:
    """Compare runs on the same cases: differences with intervals, tests, and what may be noise."""
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.report.quiet import quiet_libraries

    if output is not None and output.exists() and not output.is_dir():
        raise ConfigError(f"--output {output} is a file.", fix="a folder, which is made.")
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
