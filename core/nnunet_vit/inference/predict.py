"""Prediction with a model folder, case by case and with progress."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nnunet_vit.errors import Stopped, UserError, counted, shortened
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.checked_inputs import checked_inputs
from nnunet_vit.inference.earlier_masks import (
    of_earlier_prediction,
    overwritable,
    without_stale,
)
from nnunet_vit.inference.failed_cases import tell_failures
from nnunet_vit.inference.finished_masks import (
    FinishedMasks,
    already_there,
    left_to_predict,
    maker_digest,
)
from nnunet_vit.inference.fold_weights import FoldWeights, read_fold
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.loaded_model import LoadedModel, networks_of_folds
from nnunet_vit.inference.model_folder import ModelFolder, build_network, kind_of, open_model
from nnunet_vit.inference.outputs.after_masks import write_after_masks
from nnunet_vit.inference.outputs.case_outputs import (
    CaseOutputs,
    outputs_of,
)
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.modeling.hub.download_progress import downloads_shown_by
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.startup import settle
from nnunet_vit.report.stopping import stops_with


def predict_folder(
    images: Path | Sequence[Path],
    masks: Path,
    model: Path,
    *,
    folds: Sequence[str] | None,
    checkpoint: str,
    base: Path | None,
    options: PredictionOptions,
    progress: Progress,
) -> int:
    """Write a mask for every case and return their number.

    Args:
        images: a folder of CASE_0000.ending, a list of images, a table of cases, or images.
        masks: folder to write to.
        model: nnU-Net's model folder.
        folds: whose networks are averaged; None: all that are there.
        checkpoint: final, best or latest.
        base: the backbone's pretrained weights, where a small checkpoint needs them and they no
            longer lie where the run file said.
        options: how.
        progress: where to show what happens.

    Raises:
        ModelError: the folder is no trained model, or a fold is missing.
        DataError: there are no images, or all are damaged or do not fit; names all of them.
        MachineError: memory runs out, masks would be written among the images, or cannot be.
        PartialError: some cases have no mask; failures.json lists them.
    """
    use_processors()
    kind = kind_of(checkpoint)
    trained = open_model(model)
    used = trained.folds(folds, kind)
    if others := trained.other_folders():
        progress.log(f"Left out of {model}: {shortened(others)}, which no fold is named.")
    inputs = checked_inputs(images, masks, [trained], options=options, progress=progress)
    progress.start_work("Loading the network")
    options = replace(options, device=choose_device(options.device))
    with downloads_shown_by(progress):
        networks = [read_fold(trained, fold, kind, base=base) for fold in used]
    ready = loaded(trained, networks)
    masks.mkdir(parents=True, exist_ok=True)
    record = FinishedMasks(masks, maker_digest([ready], options.changes_masks()))
    outputs = outputs_of(ready, options, large=inputs.large)
    left = left_to_predict(inputs, record, outputs)
    expected = overwritable([masks / outputs.mask(case) for case in left.cases])
    said = [notice for network in networks for notice in network.notices]
    log_all([*said, *made_way(inputs, left, masks, outputs=outputs)], progress)
    progress.start_cases(f"Predicting with folds {', '.join(map(str, used))}", len(left.cases))
    began = time.time()
    with (
        captured("nnU-Net cannot predict these images", progress),
        stops_with(lambda: stopped_after(expected, began)),
    ):
        failed = run(ready, left, masks, options=options, progress=progress, record=record)
    finish(inputs, failed, masks, ready.description, outputs=outputs, progress=progress)
    return len(inputs.cases)


def finish(
    inputs: Inputs,
    failed: dict[str, UserError],
    masks: Path,
    description: JsonObject,
    *,
    outputs: CaseOutputs,
    progress: Progress,
) -> None:
    """Write what is made of all masks together, and say which cases have none.

    Args:
        inputs: all cases.
        failed: what was wrong with sound ones, by case; an earlier mask of them is gone then.
        masks: the folder of masks.
        description: dataset.json.
        outputs: of the prediction.
        progress: where to show what happens.

    Raises:
        PartialError: some cases have no mask.
        UserError: none has.
    """
    for file in outputs.there(masks, failed):  # earlier ones would be taken for new
        file.unlink(missing_ok=True)
    whole = inputs.without(failed)
    write_after_masks(masks, whole, description, outputs=outputs, progress=progress)
    tell_failures(inputs.faults | failed, inputs.all_cases, masks)


def log_all(notices: Iterable[str], progress: Progress) -> None:
    """Show lines that stay."""
    for notice in notices:
        progress.log(notice)


def made_way(inputs: Inputs, left: Inputs, masks: Path, *, outputs: CaseOutputs) -> Iterator[str]:
    """Yield what is to be said of masks that are there, finished ones and others.

    Args:
        inputs: all cases.
        left: those that will be predicted.
        masks: the folder of masks.
        outputs: that will be written.
    """
    if outputs.options.uncertainty and outputs.members == 1:
        yield "One network without mirroring: it disagrees with nobody, and has an entropy alone."
    finished = [masks / outputs.mask(case) for case in already_there(inputs, left)]
    if finished:
        yield f"{counted(len(finished), 'mask')} of {len(inputs.cases)} finished already."
    expected = [masks / outputs.mask(case) for case in left.cases]
    yield from of_earlier_prediction(masks, expected, outputs.ending, finished)
    yield from without_stale(outputs.stale(masks, left.cases), masks)


def stopped_after(expected: Sequence[Path], began: float) -> Stopped:
    """Say how many of the expected masks have been written since then."""
    written = [mask for mask in expected if mask.is_file() and mask.stat().st_mtime >= began]
    return Stopped(f"{len(written)} of {len(expected)} masks are written.", resumes=True)


def loaded(trained: ModelFolder, folds: Sequence[FoldWeights]) -> LoadedModel:
    """Return the model with the weights of its folds.

    Raises:
        ModelError: the weights are not those of the network.
    """
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    weights = [fold.weights for fold in folds]
    networks = networks_of_folds(lambda: build_network(trained), weights, trained.path)
    plans = PlansManager(trained.plans)
    configuration = plans.get_configuration(trained.run.data.configuration)
    axes = folds[0].mirroring_axes
    return LoadedModel(networks, plans, configuration, trained.description, axes)


def run(
    model: LoadedModel,
    inputs: Inputs,
    masks: Path,
    *,
    options: PredictionOptions,
    progress: Progress,
    record: FinishedMasks | None = None,
) -> dict[str, UserError]:
    """Write a mask per case, and its probabilities where they are wanted.

    Args:
        model: that predicts.
        inputs: the cases.
        masks: the folder to write to.
        options: how; the device is known.
        progress: is told of every case.
        record: of what is finished; None: nobody keeps it.

    Returns:
        What was wrong with cases that have no mask.
    """
    from nnunet_vit.inference.large.large_cases import predict_large
    from nnunet_vit.inference.predicting.pipeline import predict_cases, window_of
    from nnunet_vit.modeling.runtime.cores import single_core_beside

    def written(case: str, names: Sequence[str]) -> None:
        if record is not None:
            record.add(case, inputs.cases[case], names)

    small, window = inputs.without(inputs.large), window_of(model, options, progress)
    settle()
    failed: dict[str, UserError] = {}
    with single_core_beside(window.teams):
        for predict, cases in ((predict_cases, small), (predict_large, inputs)):
            failed |= predict(
                cases, masks, model,
                options=options, progress=progress, window=window, written=written,
            )  # fmt: skip
    return failed
