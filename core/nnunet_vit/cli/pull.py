"""vit_cli pull: a model out of a repository of a model hub."""

from pathlib import Path
from typing import Annotated

import typer


def pull(
    repository: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="of the hub")],
    revision: Annotated[
        str | None, typer.Option(help="a branch, tag or commit; default: main")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(help="the results folder; default: nnUNet_results")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="replace another installed model of that name")
    ] = False,
    pretrained_weights: Annotated[
        Path | None,
        typer.Option(help="for a bundle of --adapters-only: the backbone's pretrained weights"),
    ] = None,
) -> None:
    """Install a model that `vit_cli push` has written to a model hub."""
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.inference.results_folder import results_folder
        from nnunet_vit.sharing import pull_model
        from nnunet_vit.sharing.hub_repository import repository_of
        from nnunet_vit.sharing.install_model import Request

        named = repository_of(repository, revision)
        request = Request(results_folder(None, results), overwrite, pretrained_weights)
        done = pull_model.pull(named, request, progress)
    print(done.as_text())
