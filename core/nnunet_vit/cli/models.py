"""vit_cli models: the models that are installed or were trained here."""

import json
from pathlib import Path
from typing import Annotated

import typer


def models(
    dataset: Annotated[
        str | None, typer.Argument(help="id or name; default: every dataset with results")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
    results: Annotated[
        Path | None, typer.Option(help="the results folder; default: nnUNet_results")
    ] = None,
) -> None:
    """List the models of the results folder: head, backbone, folds, Dice, trained or installed."""
    from nnunet_vit.inference.results_folder import datasets_with_results
    from nnunet_vit.sharing.model_list import model_rows, rows_json

    found = {
        folder.name: model_rows(folder) for folder in datasets_with_results(dataset, None, results)
    }
    if as_json:
        print(json.dumps(rows_json([row for rows in found.values() for row in rows]), indent=2))
        return
    from nnunet_vit.sharing.model_table import models_text

    print("\n\n".join(models_text(name, rows) for name, rows in found.items()))
