"""vit_cli install: an exported model into the results folder."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

Results = Annotated[Path | None, typer.Option(help="the results folder; default: nnUNet_results")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace another model of that name")]
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
        from nnunet_vit.sharing.install_model import install

        done = install(
            file, results_folder(None, results),
            overwrite=overwrite, base=pretrained_weights, progress=progress,
        )  # fmt: skip
    print(told(done.folder, list(done.manifest.folds), was_there=done.was_there))


def told(folder: Path, folds: list[str], *, was_there: bool) -> str:
    """Return what is printed last: where the model is, and how to predict with it."""
    already = "Installed already: " if was_there else "Model: "
    words = f"--model {shlex.quote(str(folder))} --folds {' '.join(folds)}"
    return f"{already}{folder}\nPredict with: vit_cli predict -i IMAGES -o MASKS {words}"
