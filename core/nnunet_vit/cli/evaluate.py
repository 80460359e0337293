"""vit_cli evaluate: Dice of predicted masks, and pictures to look at."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    predictions: Annotated[Path, typer.Option("--predictions", "-p", help="folder of masks")],
    references: Annotated[Path, typer.Option("--references", "-r", help="folder of true masks")],
    images: Annotated[
        Path | None, typer.Option("--images", "-i", help="folder of the images, for overlays")
    ] = None,
    overlays: Annotated[
        Path | None, typer.Option(help="folder to write pictures to; needs --images")
    ] = None,
) -> None:
    """Compare predicted with true masks: Dice per class, and a picture per image if wanted."""
    from nnunet_vit.errors import ConfigError
    from nnunet_vit.report.quiet import quiet_libraries

    if overlays is not None and images is None:
        raise ConfigError("--overlays needs the pictures.", fix="--images FOLDER")
    with quiet_libraries() as progress:
        from nnunet_vit.nnunet.evaluation import evaluate_folder

        scores = evaluate_folder(predictions, references, progress)
        if overlays is not None and images is not None:
            from nnunet_vit.report.overlay import write_overlays

            write_overlays(images, predictions, references, scores.per_case, overlays, progress)
    print(scores.as_text())
