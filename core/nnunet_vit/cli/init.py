"""vit_cli init: a run file to begin with."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from nnunet_vit.report import offered_names


def init(
    run_file: Annotated[Path, typer.Argument(help="the file to write")] = Path("run.yaml"),
    head: Annotated[
        str | None,
        typer.Option(help="an installed head", autocompletion=offered_names.heads),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(help="a family, or timm:NAME", autocompletion=offered_names.backbones),
    ] = None,
    checkpoint_path: Annotated[
        Path | None, typer.Option(help="weights of a backbone that are not fetched")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="id or name")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace the file")] = False,
) -> None:
    """Write a commented run file to begin with, which is valid as it stands."""
    from nnunet_vit.config.for_editors.starter import Wanted, starter_text
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.files.writing import write_text

    if run_file.is_dir():
        raise ConfigError(f"{run_file} is a folder.", fix="the name of a run file in it.")
    if os.path.lexists(run_file) and not overwrite:
        raise ConfigError(f"{run_file} is there.", fix="another name, or --overwrite.")
    weights = str(checkpoint_path.absolute()) if checkpoint_path else ""
    wanted = Wanted(head, backbone, weights, dataset)
    write_text(starter_text(wanted, str(run_file)), run_file)
    quoted = shlex.quote(str(run_file))
    print(f"{run_file} is a valid run file. Change it to yours.")
    print(f"Next: vit_cli train {'' if dataset else 'DATASET '}--config {quoted}")
