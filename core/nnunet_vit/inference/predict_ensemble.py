"""Prediction with what `vit_cli best` chose: one model or several, averaged and post-processed."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.errors import UserError
from nnunet_vit.evaluation.mask_pairs import Task
from nnunet_vit.evaluation.probabilities import ENDING, KEY
from nnunet_vit.evaluation.ranking.averaging import average, reader_of
from nnunet_vit.evaluation.ranking.postprocessing import postprocessed
from nnunet_vit.evaluation.ranking.scored_masks import TOGETHER
from nnunet_vit.evaluation.ranking.temperature import scaled
from nnunet_vit.inference.ensemble_file import EnsembleFile, read_ensemble
from nnunet_vit.inference.ensemble_members import ReadyMember, ready_members
from nnunet_vit.inference.finished_masks import (
    FinishedMasks,
    file_maker_digest,
    left_to_predict,
)
from nnunet_vit.inference.inputs import Inputs, sound_inputs
from nnunet_vit.inference.large.which_images import refuse_large
from nnunet_vit.inference.predict import (
    check_masks_folder,
    finish,
    log_all,
    made_way,
    run,
    stopped_after,
)
from nnunet_vit.inference.predicting.staging import staged_in
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


@dataclass(frozen=True)
class _Job:
    """A prediction with an ensemble.

    Attributes:
        chosen: what the file says.
        members: its models.
        inputs: the images.
        masks: the folder to write to.
        options: how.
        record: of the masks that are finished.
    """

    chosen: EnsembleFile
    members: Sequence[ReadyMember]
    inputs: Inputs
    masks: Path
    options: PredictionOptions
    record: FinishedMasks

    @property
    def probabilities(self) -> bool:
        """Whether to write them too."""
        return self.options.probabilities

    @property
    def task(self) -> Task:
        """What the masks show."""
        model = self.members[0].model
        return Task(model.description, model.plans, model.path)

    @property
    def averages(self) -> bool:
        """Whether the masks are made of probabilities; one model's own masks are nnU-Net's."""
        return self.probabilities or len(self.members) > 1

    @property
    def expected(self) -> list[Path]:
        """The masks that will be written."""
        return [self.masks / f"{case}{self.task.ending}" for case in self.inputs.cases]


def predict_ensemble(
    images: Path,
    masks: Path,
    file: Path,
    *,
    base: Path | None,
    options: PredictionOptions,
    progress: Progress,
) -> int:
    """Write a mask for every case in a folder of images and return their number.

    Args:
        images: files CASE_0000.ending, one per channel.
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
    check_masks_folder(masks, images, [member.model.path for member in members])
    inputs = sound_inputs(images, members[0].model, progress)
    refuse_large(inputs.large, "--ensemble")
    options = replace(options, device=choose_device(options.device))
    masks.mkdir(parents=True, exist_ok=True)
    record = FinishedMasks(masks, file_maker_digest(file, options.changes_masks()))
    ending = str(members[0].model.description["file_ending"])
    left = left_to_predict(inputs, record, ending, options=options)
    job = _Job(chosen, members, left, masks, options, record)
    log_all(_notices(job, inputs), progress)
    began = time.time()
    with (
        captured(f"nnU-Net cannot predict {images}", progress),
        stops_with(lambda: stopped_after(job.expected, began)),
        staged_in(masks) as work,
    ):
        failed = _predict(job, work, base, progress=progress)
        _finish(replace(job, inputs=left.without(failed)), work, progress)
    description = members[0].model.description
    finish(inputs, failed, masks, description, options=options)
    return len(inputs.cases)


def _predict(
    job: _Job, work: Path, base: Path | None, *, progress: Progress
) -> dict[str, UserError]:
    """Let each member predict into a folder of its own; return what was wrong with cases."""
    options = replace(job.options, probabilities=job.averages)
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


def _notices(job: _Job, inputs: Inputs) -> Iterator[str]:
    if job.probabilities and job.chosen.temperature is None:
        yield f"{job.chosen.path} has no temperature: the probabilities are not scaled."
    yield from made_way(inputs, job.inputs, job.masks, job.task.ending, options=job.options)


def _heading(job: _Job, number: int) -> str:
    member, of = job.members[number], len(job.members)
    folds = ", ".join(map(str, member.folds))
    which = f"model {number + 1} of {of}, " if of > 1 else ""
    return f"Predicting with {which}folds {folds}"


def _finish(job: _Job, work: Path, progress: Progress) -> None:
    """Average, post-process and write each case, and free its disk space."""
    what = "Averaging and post-processing" if len(job.members) > 1 else "Post-processing"
    progress.start_cases(what, len(job.inputs.cases))
    (work / "done").mkdir()
    in_threads(
        lambda case: _finish_case(job, work, case),
        list(job.inputs.cases),
        lambda: progress.case(""),
        most=TOGETHER,
    )
    for name in MODEL_FILES:
        os.replace(work / "0" / name, job.masks / name)
    progress.close()


def _finish_case(job: _Job, work: Path, case: str) -> None:
    name, reader = f"{case}{job.task.ending}", reader_of(job.task)
    if job.averages:
        mask = _averaged(job, work, case)
    else:
        mask = reader.read_seg(str(work / "0" / name))[0][0]
    mask = postprocessed(mask, job.chosen.steps)
    _, properties = reader.read_images([str(file) for file in job.inputs.cases[case]])
    reader.write_seg(mask, str(work / "done" / name), properties)
    names = [f"{case}{ENDING}", f"{case}.pkl", f"{case}.json", name]  # .json: a spacing
    there = [written for written in names if (work / "done" / written).is_file()]
    for written in there:
        os.replace(work / "done" / written, job.masks / written)
    job.record.add(case, job.inputs.cases[case], there)


def _averaged(job: _Job, work: Path, case: str) -> "Array":
    """Return the mask of the mean probabilities, which are written if they are wanted."""
    import numpy as np

    files = [work / str(number) / f"{case}{ENDING}" for number in range(len(job.members))]
    mean = average([np.load(file)[KEY] for file in files])
    for file in files:
        file.unlink()
    labels = job.task.label_manager()
    mask: Array = labels.convert_probabilities_to_segmentation(mean)
    if job.probabilities:
        values = scaled(mean, job.chosen.temperature or 1.0, regions=labels.has_regions)
        np.savez_compressed(work / "done" / f"{case}{ENDING}", probabilities=values)
        shutil.move(work / "0" / f"{case}.pkl", work / "done")
    return mask
