"""A case of an ensemble: the members' files become one mask, and what belongs to it."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.evaluation.mask_pairs import Task
from nnunet_vit.evaluation.probabilities import ENDING, KEY
from nnunet_vit.evaluation.ranking.averaging import average, reader_of
from nnunet_vit.evaluation.ranking.postprocessing import postprocessed
from nnunet_vit.evaluation.ranking.temperature import scaled
from nnunet_vit.inference.ensemble_file import EnsembleFile
from nnunet_vit.inference.ensemble_members import ReadyMember
from nnunet_vit.inference.finished_masks import FinishedMasks
from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs
from nnunet_vit.inference.outputs.components import cleaned
from nnunet_vit.inference.outputs.float_image import read_image, write_image
from nnunet_vit.inference.outputs.probability_image import keep_probabilities
from nnunet_vit.inference.prediction_options import NPZ

if TYPE_CHECKING:
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter

    from nnunet_vit.files.array_type import Array
    from nnunet_vit.files.json_file import JsonObject


@dataclass(frozen=True)
class Job:
    """A prediction with an ensemble.

    Attributes:
        chosen: what the file says.
        members: its models.
        inputs: the images.
        masks: the folder to write to.
        outputs: what is written for each case.
        record: of the masks that are finished.
    """

    chosen: EnsembleFile
    members: Sequence[ReadyMember]
    inputs: Inputs
    masks: Path
    outputs: CaseOutputs
    record: FinishedMasks

    @property
    def task(self) -> Task:
        """What the masks show."""
        model = self.members[0].model
        return Task(model.description, model.plans, model.path)

    @property
    def averages(self) -> bool:
        """Whether the masks are made of probabilities; one model's own masks are nnU-Net's."""
        return self.outputs.options.probabilities or len(self.members) > 1

    @property
    def expected(self) -> list[Path]:
        """The masks that will be written."""
        return [self.masks / self.outputs.mask(case) for case in self.inputs.cases]


def finish_case(job: Job, work: Path, case: str) -> None:
    """Average, post-process and write a case, and free its disk space.

    Args:
        job: the prediction.
        work: holds a folder for each member's files, and `done`.
        case: its name.
    """
    reader, outputs, done = reader_of(job.task), job.outputs, work / "done"
    of_images = job.inputs.readers.get(case, type(reader))()
    _, properties = of_images.read_images([str(file) for file in job.inputs.cases[case]])
    probabilities = _members(job, work, case)
    mean = average(probabilities) if probabilities else None
    if job.averages and mean is not None:
        mask = job.task.label_manager().convert_probabilities_to_segmentation(mean)
    else:
        mask = reader.read_seg(str(work / "0" / outputs.mask(case)))[0][0]
    beside = _Beside(job, work, case, probabilities, properties)
    if outputs.options.probabilities and mean is not None:
        beside.write_probabilities(mean)
    if outputs.options.uncertainty:
        beside.write_uncertainty(reader)
    mask = postprocessed(mask, job.chosen.steps)
    mask = cleaned(mask, job.task.description, properties, options=outputs.options)
    reader.write_seg(mask, str(done / outputs.mask(case)), properties)
    names = [f"{case}.json", *outputs.names(case)]  # .json: a spacing
    there = [name for name in names if (done / name).is_file()]
    for name in there:
        (job.masks / name).parent.mkdir(exist_ok=True)
        os.replace(done / name, job.masks / name)
    job.record.add(case, job.inputs.cases[case], there)


def _members(job: Job, work: Path, case: str) -> "list[Array]":
    """Return the members' probabilities, whose files are deleted, where they were needed."""
    import numpy as np

    if not job.averages:
        return []
    files = [work / str(number) / f"{case}{ENDING}" for number in range(len(job.members))]
    found: list[Array] = [np.load(file)[KEY] for file in files]
    for file in files:
        file.unlink()
    return found


@dataclass(frozen=True)
class _Beside:
    """What is written beside the mask of a case.

    Attributes:
        job: the prediction.
        work: the folder of the members' files.
        case: its name.
        probabilities: of the members, where they are averaged.
        properties: nnU-Net's, of the image.
    """

    job: Job
    work: Path
    case: str
    probabilities: "list[Array]"
    properties: "JsonObject"

    @property
    def _regions(self) -> bool:
        return bool(self.job.task.label_manager().has_regions)

    def write_probabilities(self, mean: "Array") -> None:
        """Write the mean probabilities, with the temperature of the ensemble's file."""
        outputs, done = self.job.outputs, self.work / "done"
        values = scaled(mean, self.job.chosen.temperature or 1.0, regions=self._regions)
        keep_probabilities(
            values, self.case, done, outputs=outputs, properties=self.properties,
            description=self.job.task.description,
        )  # fmt: skip
        if outputs.options.probabilities_format == NPZ:
            shutil.move(self.work / "0" / f"{self.case}.pkl", done)

    def write_uncertainty(self, reader: "BaseReaderWriter") -> None:
        """Write the mean of the members' maps and what is between the members."""
        import numpy as np

        outputs, done, count = self.job.outputs, self.work / "done", len(self.job.members)
        between = _between(self.probabilities, self._regions) if count > 1 else 0.0
        (done / outputs.entropy(self.case)).parent.mkdir(exist_ok=True)
        for name in outputs.uncertainty(self.case):
            own = [self.work / str(number) / name for number in range(count)]
            maps = [read_image(file, reader) for file in own if file.is_file()]
            if maps or count > 1:  # one network that is not mirrored disagrees with nobody
                found: Array = np.clip(between + sum(maps) / count, 0, 1)
                write_image(found.astype("float32"), done / name, self.properties)


def _between(probabilities: "list[Array]", regions: bool) -> "Array":
    """Return the disagreement of the members' probabilities, (Z, Y, X).

    That of all networks is this and the mean of the members' own; so it is with the entropy.
    """
    import torch

    from nnunet_vit.inference.entropy import disagreement_of

    stacked = torch.stack([torch.from_numpy(each).float() for each in probabilities])
    found: Array = disagreement_of(stacked, regions=regions).numpy()
    return found
