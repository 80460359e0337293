"""vit_cli install: an exported model into the results folder."""

from pathlib import Path
from typing import Annotated

import typer

Results = Annotated[Path | None, typer.Option(help="the results folder; default: nnUNet_results")]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="replace another installed model of that name")
]
Pretrained = Annotated[
    Path | None,
    typer.Option(help="for a zip of --adapters-only: the backbone's pretrained weights"),
]


def install(
    file: Annotated[Path, typer.Argument(help="the zip that `vit_cli export --to` has written")],
    results: Results = None,
    overwrite: Overwrite = False,
    pretrained_weights: Pretrained = None,
) -> None:
    """Install an exported model where predict and nnU-Net look for models."""
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.inference.results_folder import results_folder
        from nnunet_vit.sharing import install_model
        from nnunet_vit.sharing.bundle_zip import require_file

        require_file(file)
        request = install_model.Request(
            results_folder(None, results), overwrite, pretrained_weights
        )
        done = install_model.install(file, request, progress)
    print(done.as_text())
