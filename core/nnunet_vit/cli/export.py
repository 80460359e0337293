"""vit_cli export: a trained model in a form that travels."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[Path, typer.Argument(help="the model folder, as train prints it last")]
To = Annotated[Path | None, typer.Option(help="write a zip for `vit_cli install`: model.zip")]
Nnunet = Annotated[
    Path | None, typer.Option(help="write a folder for nnUNetv2_predict_from_modelfolder")
]
Folds = Annotated[list[str] | None, typer.Option(help="0 1 …; default: every trained fold")]
Checkpoint = Annotated[str, typer.Option(help="final, best or latest")]
AdaptersOnly = Annotated[
    bool,
    typer.Option(
        "--adapters-only", help="with --to: what was trained alone, without pretrained weights"
    ),
]
Pretrained = Annotated[
    Path | None, typer.Option(help="the backbone's pretrained weights, where they have moved")
]


def export(
    model: Model,
    to: To = None,
    nnunet: Nnunet = None,
    folds: Folds = None,
    checkpoint: Checkpoint = "final",
    adapters_only: AdaptersOnly = False,
    pretrained_weights: Pretrained = None,
) -> None:
    """Write a trained model as a zip to install elsewhere, or as nnU-Net's model folder."""
    from nnunet_vit.report.quiet import quiet_libraries

    _check_targets(to, nnunet, adapters_only)
    with quiet_libraries() as progress:
        from nnunet_vit.sharing.exporting import Source, export_folder_of, export_zip_of

        source = Source(model, folds, checkpoint, pretrained_weights)
        if to is not None:
            facts = export_zip_of(source, to, adapters_only=adapters_only, progress=progress)
            needs = " --pretrained-weights FILE" if adapters_only else ""
            after = f"{to}: {facts}\nInstall with: vit_cli install {shlex.quote(str(to))}{needs}"
        if nnunet is not None:
            facts = export_folder_of(source, nnunet, progress)
            after = f"{nnunet}: {facts}"
    print(after)


def _check_targets(to: Path | None, nnunet: Path | None, adapters_only: bool) -> None:
    from nnunet_vit.errors import ConfigError

    given = [option for option in (to, nnunet) if option is not None]
    if len(given) != 1:
        raise ConfigError(
            f"export needs one target, {len(given)} are given.",
            fix="--to model.zip, or --nnunet FOLDER.",
        )
    if adapters_only and to is None:
        raise ConfigError(
            "--adapters-only: only a zip may lack the pretrained weights.", fix="--to model.zip"
        )
