"""vit_cli predict: masks of images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from nnunet_vit.errors import counted
from nnunet_vit.inference.least_size import least_size
from nnunet_vit.inference.prediction_options import NPZ, STEP, PredictionOptions

Images = Annotated[
    list[Path],
    typer.Option(
        "--images", "-i",
        help="folder of images, CASE_0000.…; or a list (.txt), a table (.csv), or images",
    ),
]  # fmt: skip
Model = Annotated[Path | None, typer.Option(help="the model folder, as train prints it last")]
Ensemble = Annotated[
    Path | None, typer.Option(help="instead of a model: the file that best has written")
]
Folds = Annotated[
    list[str] | None, typer.Option(help="0 1 …; default: every trained fold, averaged")
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps; default: the best")]
Mirroring = Annotated[bool, typer.Option(help="average over mirrored images: slower, better")]
StepSize = Annotated[
    float,
    typer.Option(help="between tiles, as a share of one; up to 1: 4 times faster than 0.5, worse"),
]
Probabilities = Annotated[
    bool, typer.Option("--probabilities", help="write CASE.npz too, as nnU-Net does")
]
Format = Annotated[
    Literal["npz", "nifti", "tiff"] | None,
    typer.Option(
        "--probabilities-format",
        help="nifti or tiff: probabilities as an image per case, in probabilities/",
    ),
]
LargestComponent = Annotated[
    bool,
    typer.Option(
        "--largest-component",
        help="leave of each class the largest connected part alone",
    ),
]
MinSize = Annotated[
    str | None,
    typer.Option(
        "--min-size", help="50, 12.5mm2 or 40mm3: smaller connected parts become background"
    ),
]
Instances = Annotated[
    bool,
    typer.Option("--instances", help="number the connected parts, in instances/ and a CSV"),
]
Volumes = Annotated[
    bool, typer.Option("--volumes", help="write volumes.csv: size of each class in each mask")
]
Uncertainty = Annotated[
    bool,
    typer.Option("--uncertainty", help="write how unsure each pixel is, and uncertainty.csv"),
]
Overlays = Annotated[
    bool, typer.Option("--overlays", help="draw each mask on its image, in overlays/")
]
Continue = Annotated[
    bool, typer.Option("--continue", help="leave masks that are finished: same model, same image")
]
Checkpoint = Annotated[str | None, typer.Option(help="final, best or latest; default: final")]
Pretrained = Annotated[
    Path | None,
    typer.Option(
        "--pretrained-weights",
        "--base",  # its older name
        help="the backbone's pretrained weights, where they have moved; or --base",
    ),
]


def predict(
    images: Images,
    masks: Annotated[Path, typer.Option("--masks", "-o", help="folder to write masks to")],
    model: Model = None,
    ensemble: Ensemble = None,
    folds: Folds = None,
    device: Device = None,
    mirroring: Mirroring = True,
    step_size: StepSize = STEP,
    probabilities: Probabilities = False,
    volumes: Volumes = False,
    uncertainty: Uncertainty = False,
    overlays: Overlays = False,
    instances: Instances = False,
    probabilities_format: Format = None,
    largest_component: LargestComponent = False,
    min_size: MinSize = None,
    resume: Continue = False,
    checkpoint: Checkpoint = None,
    pretrained_weights: Pretrained = None,
) -> None:
    """Segment images with a trained model, or with what best has chosen."""
    _check_model(model, ensemble, folds, checkpoint=checkpoint, step_size=step_size)
    options = PredictionOptions(
        device, mirroring, probabilities or probabilities_format is not None, resume=resume,
        step=step_size, volumes=volumes, uncertainty=uncertainty, overlays=overlays,
        instances=instances, probabilities_format=probabilities_format or NPZ,
        largest_component=largest_component,
        min_size=None if min_size is None else least_size(min_size),
    )  # fmt: skip
    request = _Request(images, masks, pretrained_weights, options)
    if ensemble is not None:
        cases = _with_ensemble(request, ensemble)
    else:
        assert model is not None
        cases = _with_model(request, model, folds, checkpoint=checkpoint or "final")
    print(f"{counted(cases, 'mask')} in {masks}")


@dataclass(frozen=True)
class _Request:
    """What both ways to predict are told."""

    images: list[Path]
    masks: Path
    base: Path | None
    options: PredictionOptions


def _with_ensemble(request: _Request, file: Path) -> int:
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.inference.predict_ensemble import predict_ensemble

        return predict_ensemble(
            request.images, request.masks, file,
            base=request.base, options=request.options, progress=progress,
        )  # fmt: skip


def _with_model(request: _Request, model: Path, folds: list[str] | None, *, checkpoint: str) -> int:
    from nnunet_vit.report.quiet import quiet_libraries

    with quiet_libraries() as progress:
        from nnunet_vit.inference.predict import predict_folder

        return predict_folder(
            request.images, request.masks, model, folds=folds, checkpoint=checkpoint,
            base=request.base, options=request.options, progress=progress,
        )  # fmt: skip


def _check_model(
    model: Path | None,
    ensemble: Path | None,
    folds: list[str] | None,
    *,
    checkpoint: str | None,
    step_size: float,
) -> None:
    from nnunet_vit.errors import ConfigError

    if (model is None) == (ensemble is None):
        raise ConfigError(
            "predict needs --model or --ensemble, one of the two.",
            fix="--model FOLDER, as train prints it last, or --ensemble FILE, as best prints it.",
        )
    if not 0 < step_size <= 1:
        raise ConfigError(
            f"--step-size {step_size:g}; allowed: more than 0, at most 1.", fix="--step-size 0.5"
        )
    given = [f"--{name}" for name, value in (("folds", folds), ("checkpoint", checkpoint)) if value]
    if ensemble is not None and given:
        raise ConfigError(
            f"{' and '.join(given)}: an ensemble's file says which folds predict, with their final "
            "models.",
            fix="leave it out, or predict with --model.",
        )
