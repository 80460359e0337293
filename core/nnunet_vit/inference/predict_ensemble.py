"""Prediction with what `vit_cli best` chose: one model or several, averaged and post-processed."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.errors import UserError
from nnunet_vit.evaluation.ranking.scored_masks import TOGETHER
from nnunet_vit.inference.checked_inputs import checked_inputs
from nnunet_vit.inference.ensemble_case import Job, finish_case
from nnunet_vit.inference.ensemble_file import read_ensemble
from nnunet_vit.inference.ensemble_members import ReadyMember, ready_members
from nnunet_vit.inference.finished_masks import (
    FinishedMasks,
    file_maker_digest,
    left_to_predict,
)
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.large.which_images import refuse_large
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs
from nnunet_vit.inference.predict import (
    finish,
    log_all,
    made_way,
    run,
    stopped_after,
)
from nnunet_vit.inference.predicting.staging import staged_in
from nnunet_vit.inference.prediction_options import NPZ, PredictionOptions
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with


def predict_ensemble(
    images: Path | Sequence[Path],
    masks: Path,
    file: Path,
    *,
    base: Path | None,
    options: PredictionOptions,
    progress: Progress,
) -> int:
    """Write a mask for every case and return their number.

    Args:
        images: a folder of CASE_0000.ending, a list of images, a table of cases, or images.
        masks: folder to write to.
        file: as `vit_cli best` writes it.
        base: the pretrained weights, where a small checkpoint needs them and they have moved.
        options: how; probabilities are those of the average, with the file's temperature.
        progress: where to show what happens.

    Raises:
        ModelError: the file is damaged, or a model is missing or has changed.
        DataError: there are no images, or all are damaged or do not fit; names all of them.
        MachineError: memory runs out, masks would be written among the images, or cannot be.
        PartialError: some cases have no mask; failures.json lists them.
    """
    use_processors()
    chosen = read_ensemble(file)
    members = ready_members(chosen)
    first = members[0].model
    models = [member.model for member in members]
    inputs = checked_inputs(images, masks, models, options=options, progress=progress)
    refuse_large(inputs.large, ["--ensemble"])
    options = replace(options, device=choose_device(options.device))
    masks.mkdir(parents=True, exist_ok=True)
    record = FinishedMasks(masks, file_maker_digest(file, options.changes_masks()))
    outputs = CaseOutputs(
        str(first.description["file_ending"]), first.plans["image_reader_writer"], options,
        _disagreeing(members, options),
    )  # fmt: skip
    left = left_to_predict(inputs, record, outputs)
    job = Job(chosen, members, left, masks, outputs, record)
    log_all(_notices(job, inputs), progress)
    began = time.time()
    with (
        captured("nnU-Net cannot predict these images", progress),
        stops_with(lambda: stopped_after(job.expected, began)),
        staged_in(masks) as work,
    ):
        failed = _predict(job, work, base, progress=progress)
        _finish(replace(job, inputs=left.without(failed)), work, progress)
    finish(inputs, failed, masks, first.description, outputs=outputs, progress=progress)
    return len(inputs.cases)


def _predict(
    job: Job, work: Path, base: Path | None, *, progress: Progress
) -> dict[str, UserError]:
    """Let each member predict into a folder of its own; return what was wrong with cases."""
    options = replace(
        job.outputs.options, probabilities=job.averages, probabilities_format=NPZ,
        largest_component=False, min_size=None,
    )  # fmt: skip
    failed: dict[str, UserError] = {}
    for number, member in enumerate(job.members):
        progress.start_work(f"Loading {member.model.path.name}")
        model = member.loaded(base, progress)
        inputs = job.inputs.without(failed)
        progress.start_cases(_heading(job, number), len(inputs.cases))
        place = work / str(number)
        place.mkdir()
        failed |= run(model, inputs, place, options=options, progress=progress)
        del model
    return failed


def _notices(job: Job, inputs: Inputs) -> Iterator[str]:
    if job.outputs.options.probabilities and job.chosen.temperature is None:
        yield f"{job.chosen.path} has no temperature: the probabilities are not scaled."
    yield from made_way(inputs, job.inputs, job.masks, outputs=job.outputs)


def _disagreeing(members: Sequence[ReadyMember], options: PredictionOptions) -> int:
    """Return how many networks and mirrored copies may disagree; each mirrors once at least."""
    return sum(len(member.folds) for member in members) * (1 + options.mirroring)


def _heading(job: Job, number: int) -> str:
    member, of = job.members[number], len(job.members)
    folds = ", ".join(map(str, member.folds))
    which = f"model {number + 1} of {of}, " if of > 1 else ""
    return f"Predicting with {which}folds {folds}"


def _finish(job: Job, work: Path, progress: Progress) -> None:
    """Average, post-process and write each case, and free its disk space."""
    what = "Averaging and post-processing" if len(job.members) > 1 else "Post-processing"
    progress.start_cases(what, len(job.inputs.cases))
    (work / "done").mkdir()
    in_threads(
        lambda case: finish_case(job, work, case),
        list(job.inputs.cases),
        lambda: progress.case(""),
        most=TOGETHER,
    )
    for name in MODEL_FILES:
        os.replace(work / "0" / name, job.masks / name)
    progress.close()
