"""Prediction with a model folder, by nnU-Net's predictor, case by case and with progress."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.errors import MachineError, ModelError, Stopped, message_of, shortened
from nnunet_vit.files.writable import check_writable
from nnunet_vit.inference.earlier_masks import made_way_for, overwritable
from nnunet_vit.inference.fold_weights import FoldWeights, read_fold
from nnunet_vit.inference.inputs import Inputs, sound_inputs
from nnunet_vit.inference.model_folder import ModelFolder, build_network, kind_of, open_model
from nnunet_vit.modeling.hub.download_progress import downloads_shown_by
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with

if TYPE_CHECKING:
    from nnunet_vit.inference.predictor import ReportingPredictor


def predict_folder(
    images: Path,
    masks: Path,
    model: Path,
    *,
    folds: Sequence[str] | None,
    device: str | None,
    mirroring: bool,
    checkpoint: str,
    base: Path | None,
    progress: Progress,
    probabilities: bool = False,
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
        probabilities: write them beside the masks, as nnU-Net does.

    Raises:
        ModelError: the folder is no trained model, or a fold is missing.
        DataError: there are no images, or some are damaged or do not fit; names all of them.
        MachineError: memory runs out, masks would be written among the images, or cannot be.
        NumericsError: the network's output is not finite.
    """
    use_processors()
    kind = kind_of(checkpoint)
    trained = open_model(model)
    used = trained.folds(folds, kind)
    if others := trained.other_folders():
        progress.log(f"Left out of {model}: {shortened(others)}, which no fold is named.")
    check_masks_folder(masks, images, [model])
    inputs = sound_inputs(images, trained, progress)
    progress.start_work("Loading the network")
    predictor = new_predictor(choose_device(device), mirroring, progress)
    with downloads_shown_by(progress):
        networks = [read_fold(trained, fold, kind, base=base) for fold in used]
    load_folds(predictor, trained, networks)
    masks.mkdir(parents=True, exist_ok=True)
    ending = trained.description["file_ending"]
    expected = overwritable([masks / f"{case}{ending}" for case in inputs.cases])
    said = [notice for network in networks for notice in network.notices]
    way = made_way_for(masks, expected, ending, probabilities=probabilities)
    log_all([*said, *way], progress)
    progress.start_cases(f"Predicting with folds {', '.join(map(str, used))}", len(inputs.cases))
    began = time.time()
    with (
        captured(f"nnU-Net cannot predict {images}", progress),
        stops_with(lambda: stopped_after(expected, began)),
    ):
        run(predictor, inputs, masks, probabilities=probabilities)
    return len(inputs.cases)


def log_all(notices: Iterable[str], progress: Progress) -> None:
    """Show lines that stay."""
    for notice in notices:
        progress.log(notice)


def stopped_after(expected: Sequence[Path], began: float) -> Stopped:
    """Say how many of the expected masks have been written since then."""
    written = [mask for mask in expected if mask.is_file() and mask.stat().st_mtime >= began]
    return Stopped(
        f"{len(written)} of {len(expected)} masks are written; the same command writes all again."
    )


def load_folds(
    predictor: "ReportingPredictor", trained: ModelFolder, folds: Sequence[FoldWeights]
) -> None:
    """Give the predictor the network of a model and the weights of its folds.

    Raises:
        ModelError: the weights are not those of the network.
    """
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    network = build_network(trained)
    weights = [fold.weights for fold in folds]
    try:
        for one in weights:
            network.load_state_dict(one)
    except RuntimeError as error:  # torch lists every key
        reason = message_of(error, 200)
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


def run(
    predictor: "ReportingPredictor", inputs: Inputs, masks: Path, *, probabilities: bool
) -> None:
    """Write a mask per case, and its probabilities where they are wanted."""
    # on a CPU the network takes every core: nnU-Net's workers would load torch and then wait
    workers = 0
    if predictor.device.type != "cpu":
        from nnunetv2.configuration import default_num_processes

        workers = min(default_num_processes, len(inputs.cases))
    predictor.predict_cases(
        inputs.cases, inputs.memory, masks, workers=workers, probabilities=probabilities
    )


def new_predictor(device: str, mirroring: bool, progress: Progress) -> "ReportingPredictor":
    """Return a predictor without a network."""
    import torch

    from nnunet_vit.inference.predictor import ReportingPredictor

    return ReportingPredictor(mirroring, torch.device(device), progress)


def check_masks_folder(masks: Path, images: Path, models: Iterable[Path]) -> None:
    """Refuse to write masks, dataset.json and plans.json among what they are made from.

    Raises:
        MachineError: masks would be, or cannot be written.
    """
    for folder, what in ((images, "of the images"), *((model, "of the model") for model in models)):
        if masks.resolve() == folder.resolve():
            raise MachineError(f"-o {masks} is the folder {what}.", fix="another folder.")
    check_writable(masks, f"-o {masks}")
