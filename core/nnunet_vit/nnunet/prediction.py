"""Prediction with a model folder, by nnU-Net's predictor, case by case and with progress."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunet_vit.errors import DataError, MachineError, ModelError, NumericsError
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.nnunet.model_folder import (
    FoldWeights,
    ModelFolder,
    build_network,
    kind_of,
    open_model,
    read_fold,
)
from nnunet_vit.nnunet.preflight import choose_device
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor


def predict_folder(
    images: Path,
    masks: Path,
    model: Path,
    folds: Sequence[str] | None,
    device: str | None,
    mirroring: bool,
    checkpoint: str,
    base: Path | None,
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
        checkpoint: final, best or latest.
        base: the backbone's pretrained weights, where a small checkpoint needs them and they no
            longer lie where the run file said.
        progress: where to show what happens.

    Raises:
        ModelError: the folder is no trained model, or a fold is missing.
        DataError: there are no images, or a case lacks a channel.
        NumericsError: the network's output is not finite.
    """
    from nnunet_vit.modeling.hub.progress import downloads_shown_by

    use_processors()
    kind = kind_of(checkpoint)
    trained = open_model(model)
    used = trained.folds(folds, kind)
    cases = _cases(images, trained.description)
    if masks.resolve() == images.resolve():
        raise MachineError(f"-o {masks} is the folder of the images.", fix="another folder.")
    predictor = _predictor(choose_device(device), mirroring, progress)
    with downloads_shown_by(progress):
        networks = [read_fold(trained, fold, kind, base) for fold in used]
    for notice in (notice for network in networks for notice in network.notices):
        progress.say(notice)
    _load(predictor, trained, networks)
    masks.mkdir(parents=True, exist_ok=True)
    progress.start_cases(f"Predicting with folds {', '.join(map(str, used))}", len(cases))
    _run(predictor, images, masks, len(cases))
    return len(cases)


def _load(predictor: "nnUNetPredictor", trained: ModelFolder, folds: list[FoldWeights]) -> None:
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    network = build_network(trained)
    weights = [fold.weights for fold in folds]
    try:
        for one in weights:
            network.load_state_dict(one)
    except RuntimeError as error:  # torch lists every key
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{trained.path} cannot be loaded: {reason}.", fix="copy it again, or train it again."
        ) from error
    plans = PlansManager(trained.plans)
    predictor.manual_initialization(
        network,
        plans,
        plans.get_configuration(trained.run.data.configuration),
        weights,
        trained.description,
        nnUNetTrainer.__name__,
        folds[0].mirroring_axes,
    )


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
