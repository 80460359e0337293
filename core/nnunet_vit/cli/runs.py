"""vit_cli runs: the trained models of a dataset, or of all."""

from pathlib import Path
from typing import Annotated

import typer


def runs(
    dataset: Annotated[
        str | None, typer.Argument(help="id or name; default: every dataset with results")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="a run file whose paths.results counts")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="the results folder; default: nnUNet_results")
    ] = None,
) -> None:
    """List trained models: folds, Dice, size, date, and what their run files differ in."""
    from nnunet_vit.inference.results_folder import datasets_with_results
    from nnunet_vit.inference.run_list import run_entries, runs_text

    folders = datasets_with_results(dataset, config, results)
    print("\n\n".join(runs_text(folder.name, run_entries(folder)) for folder in folders))
