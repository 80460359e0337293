"""vit_cli evaluate: Dice of predicted masks, and pictures to look at."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    predictions: Annotated[
        Path,
        typer.Option(
            "--predictions", "-p", help="folder of masks; a model's fold_0/validation too"
        ),
    ],
    references: Annotated[Path, typer.Option("--references", "-r", help="folder of true masks")],
    images: Annotated[
        Path | None, typer.Option("--images", "-i", help="folder of the images, for overlays")
    ] = None,
    overlays: Annotated[
        Path | None, typer.Option(help="folder to write pictures to; needs --images")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="the model folder, for masks without dataset.json and plans.json"),
    ] = None,
) -> None:
    """Compare predicted with true masks: Dice per class, and a picture per image if wanted."""
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.evaluation.evaluate import evaluate_folder
        from nnunet_vit.evaluation.overlays import check_places, write_overlays

        if overlays is not None:
            check_places(overlays, images, predictions, references=references)
        scores = evaluate_folder(predictions, references, progress, model=model)
        progress.close()
        progress.log(scores.as_text())  # before the pictures, which may fail
        if overlays is not None and images is not None:
            write_overlays(scores, images, overlays, progress=progress)
