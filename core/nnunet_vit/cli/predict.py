"""vit_cli predict: masks for a folder of images."""

from pathlib import Path
from typing import Annotated

import typer

from nnunet_vit.errors import counted


def predict(
    images: Annotated[Path, typer.Option("--images", "-i", help="folder of images, CASE_0000.…")],
    masks: Annotated[Path, typer.Option("--masks", "-o", help="folder to write masks to")],
    model: Annotated[Path, typer.Option(help="the model folder, as train prints it last")],
    folds: Annotated[
        list[str] | None, typer.Option(help="0 1 …; default: every trained fold, averaged")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; default: the best")
    ] = None,
    mirroring: Annotated[
        bool, typer.Option(help="average over mirrored images: slower, better")
    ] = True,
    checkpoint: Annotated[str, typer.Option(help="final, best or latest")] = "final",
    pretrained_weights: Annotated[
        Path | None,
        typer.Option(
            "--pretrained-weights",
            "--base",  # its older name
            help="the backbone's pretrained weights, where they have moved; or --base",
        ),
    ] = None,
) -> None:
    """Segment every image of a folder with a trained model."""
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.inference.predict import predict_folder

        cases = predict_folder(
            images,
            masks,
            model,
            folds=folds,
            device=device,
            mirroring=mirroring,
            checkpoint=checkpoint,
            base=pretrained_weights,
            progress=progress,
        )
    print(f"{counted(cases, 'mask')} in {masks}")
