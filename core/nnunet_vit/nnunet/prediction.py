"""Prediction with a model folder, by nnU-Net's predictor, case by case and with progress."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_vit.errors import (
    DataError,
    MachineError,
    ModelError,
    NumericsError,
    UserError,
)
from nnunet_vit.nnunet.dataset import read_description
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.nnunet.preflight import choose_device
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

MODEL_FILES = ("plans.json", "dataset.json")


def predict_folder(
    images: Path,
    masks: Path,
    model: Path,
    folds: Sequence[str] | None,
    device: str | None,
    mirroring: bool,
    checkpoint: str,
    progress: Progress,
) -> int:
    """Write a mask for every case in a folder of images and return their number.

    Args:
        images: files CASE_0000.ending, one per channel.
        masks: folder to write to.
        model: nnU-Net's model folder.
        folds: whose networks are averaged; None: all that are there.
        device: cpu, cuda or mps; None: the best that is there.
        mirroring: average over mirrored images.
        checkpoint: file name inside each fold.
        progress: where to show what happens.

    Raises:
        ModelError: the folder is no trained model, or a fold is missing.
        DataError: there are no images, or a case lacks a channel.
        NumericsError: the network's output is not finite.
    """
    use_processors()
    used = _folds(model, folds, checkpoint)
    cases = _cases(images, read_description(model / "dataset.json"))
    if masks.resolve() == images.resolve():
        raise MachineError(f"-o {masks} is the folder of the images.", fix="another folder.")
    predictor = _predictor(choose_device(device), mirroring, progress)
    _rebuild(predictor, model, used, checkpoint)
    masks.mkdir(parents=True, exist_ok=True)
    progress.start_cases(f"Predicting with folds {', '.join(map(str, used))}", len(cases))
    _run(predictor, images, masks, len(cases))
    return len(cases)


def _rebuild(
    predictor: "nnUNetPredictor", model: Path, folds: list[int | str], checkpoint: str
) -> None:
    try:
        predictor.initialize_from_trained_model_folder(str(model), folds, checkpoint)
    except UserError as error:
        raise ModelError(
            f"{model} cannot be rebuilt: {error.problem}",
            fix="install the packages that it was trained with; run.yaml in its folds names them.",
        ) from error
    except Exception as error:  # whatever pickle, zip and JSON say of a damaged file
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(
            f"{model} cannot be loaded: {reason}.", fix="copy it again, or train it again."
        ) from error


def _run(predictor: "nnUNetPredictor", images: Path, masks: Path, cases: int) -> None:
    # on a CPU the network takes every core: nnU-Net's workers would load torch and then wait
    if predictor.device.type == "cpu":
        predictor.predict_from_files_sequential(str(images), str(masks))
        return
    from nnunetv2.configuration import default_num_processes

    workers = min(default_num_processes, cases)
    predictor.predict_from_files(
        str(images),
        str(masks),
        num_processes_preprocessing=workers,
        num_processes_segmentation_export=workers,
    )


def _predictor(device: str, mirroring: bool, progress: Progress) -> "nnUNetPredictor":
    import torch
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    class ReportingPredictor(nnUNetPredictor):  # type: ignore[misc]
        """nnU-Net's predictor that shows each case and refuses values that are not finite."""

        def predict_logits_from_preprocessed_data(self, data: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = super().predict_logits_from_preprocessed_data(data)
            if not bool(torch.isfinite(logits).all()):
                raise NumericsError("The network's output is not finite: no mask is written.")
            progress.case("")
            return logits

    return ReportingPredictor(
        use_mirroring=mirroring, device=torch.device(device), allow_tqdm=False
    )


def _folds(model: Path, wanted: Sequence[str] | None, checkpoint: str) -> list[int | str]:
    missing = [name for name in MODEL_FILES if not (model / name).is_file()]
    if missing:
        raise ModelError(
            f"{model} is no model folder: {', '.join(missing)} missing.",
            fix="give the folder that `vit_cli train` prints last, the one that holds fold_0.",
        )
    there = sorted(
        folder.name.removeprefix("fold_")
        for folder in model.glob("fold_*")
        if (folder / checkpoint).is_file()
    )
    absent = [fold for fold in wanted or [] if fold not in there]
    if absent or not there:
        raise ModelError(
            f"{model} has no {checkpoint} of fold {', '.join(absent) or '0 to 4 or all'}; "
            f"finished folds: {', '.join(there) or 'none'}."
        )
    # a model of all cases is no member of a cross-validation: alone, or when it is asked for
    usual = [fold for fold in there if fold != "all"] or there
    return [int(fold) if fold.isdecimal() else fold for fold in wanted or usual]


def _cases(images: Path, description: dict[str, Any]) -> list[str]:
    ending = description["file_ending"]
    if not images.is_dir():
        raise DataError(f"-i {images} is not a folder.")
    names = sorted(file.name for file in images.glob(f"*{ending}"))
    cases = sorted({name.removesuffix(ending)[:-5] for name in names})
    if not cases:
        raise DataError(
            f"-i {images} holds no image *{ending}.", fix=f"name them CASE_0000{ending}."
        )
    first = [f"{case}_0000{ending}" for case in cases if f"{case}_0000{ending}" not in names]
    if first:
        raise DataError(f"-i {images} lacks the first channel: {', '.join(first[:5])}.")
    return cases
