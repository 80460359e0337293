"""vit_cli evaluate: metrics of predicted masks, and pictures to look at."""

from pathlib import Path
from typing import Annotated

import typer

KINDS = "names (dice hd95 …), or a kind of task: regions, vessels, lesions; or all"
Predictions = Annotated[
    Path,
    typer.Option("--predictions", "-p", help="folder of masks; a model's fold_0/validation too"),
]
Model = Annotated[
    Path | None,
    typer.Option(help="the model folder, for masks without dataset.json and plans.json"),
]
Tolerance = Annotated[
    float, typer.Option(min=0, help="of NSD, in mm; in pixels where files have no mm")
]
Overlap = Annotated[float, typer.Option(min=0, max=1, help="IoU from which two lesions are one")]
Threshold = Annotated[
    Path | None, typer.Option(help="folder of a validation whose probabilities choose a threshold")
]
Fields = Annotated[
    Path | None, typer.Option(help="folder of masks: only pixels that are not 0 there count")
]


def evaluate(
    predictions: Predictions,
    references: Annotated[Path, typer.Option("--references", "-r", help="folder of true masks")],
    images: Annotated[
        Path | None, typer.Option("--images", "-i", help="folder of the images, for overlays")
    ] = None,
    overlays: Annotated[
        Path | None, typer.Option(help="folder to write pictures to; needs --images")
    ] = None,
    model: Model = None,
    metrics: Annotated[list[str] | None, typer.Option(help=KINDS)] = None,
    tolerance: Tolerance = 2.0,
    overlap: Overlap = 0.1,
    fov: Fields = None,
    threshold_from: Threshold = None,
) -> None:
    """Compare predicted with true masks: metrics per class, and a picture per image if wanted."""
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.errors import ConfigError
        from nnunet_vit.evaluation.class_masks import MetricOptions
        from nnunet_vit.evaluation.evaluate import evaluate_folder
        from nnunet_vit.evaluation.overlays import check_places, write_overlays
        from nnunet_vit.evaluation.wanted import Wanted

        if overlays is not None and threshold_from is not None:
            raise ConfigError(
                "--overlays draws the masks that are there, --threshold-from measures others.",
                fix="leave one of them out.",
            )
        if overlays is not None:
            check_places(overlays, images, predictions, references=references)
        wanted = Wanted(metrics or (), MetricOptions(tolerance, overlap), fov, threshold_from)
        scores = evaluate_folder(predictions, references, progress, model=model, wanted=wanted)
        progress.close()
        progress.log(scores.as_text(progress.width))  # before the pictures, which may fail
        if overlays is not None and images is not None:
            write_overlays(scores, images, overlays, progress=progress)
