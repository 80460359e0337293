"""A threshold of the probability, chosen on training images: the protocol of retinal vessels."""

from collections.abc import Sequence
from dataclasses import dataclass
from filecmp import cmp
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.fold_folder import SUMMARY, VALIDATION
from nnunet_vit.checkpoints.merged_validations import folds_merged_in
from nnunet_vit.data.case_files import files_of
from nnunet_vit.data.checks.masks import read_mask
from nnunet_vit.data.checks.raster_reading import Raster, in_threads
from nnunet_vit.data.faults import refuse
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.errors import ConfigError, DataError, counted, shortened
from nnunet_vit.evaluation.checked_masks import check_pairs
from nnunet_vit.evaluation.mask_pairs import Pair, Task
from nnunet_vit.evaluation.probabilities import Channels, lacking, read_probabilities
from nnunet_vit.files.json_file import JsonObject, read_json
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

STEPS = 1000  # thresholds that are tried: 0.001, 0.002, …
ROUNDING = 1e-4  # of a step: single precision is not that exact
OPTION = "--threshold-from"


@dataclass(frozen=True)
class Threshold:
    """The probability from which a pixel is of the class.

    Attributes:
        step: its number among those that are tried.
        f1: pooled, on the images that it was chosen on.
        cases: the number of these images.
        source: the folder of their predictions.
    """

    step: int
    f1: float
    cases: int
    source: Path

    @property
    def value(self) -> float:
        """The probability, between 0 and 1."""
        return self.step / STEPS

    def mask(self, probability: "Array") -> "Array":
        """Return where a probability reaches it, as it was counted when it was chosen."""
        reached: Array = steps_of(probability) >= self.step
        return reached

    def as_text(self) -> str:
        """Return how the masks are made, in a sentence."""
        return (
            f"Masks: a probability from {self.value:g} on, the threshold with the highest "
            f"F1 ({self.f1:.3f}) of all pixels of {counted(self.cases, 'training image')} of "
            f"{self.source}."
        )

    def as_json(self) -> JsonObject:
        """Return it as a JSON file holds it."""
        return {
            "probability": self.value,
            "f1_on_training_images": self.f1,
            "training_images": self.cases,
            "source": str(self.source),
        }


def steps_of(probability: "Array") -> "Array":
    """Return the number of the highest threshold that each probability reaches."""
    import numpy as np

    steps = np.floor(probability.astype(np.float64) * STEPS + ROUNDING).astype(np.int64)
    return np.clip(steps, 0, STEPS)  # files may round beyond 0 and 1


def choose_threshold(
    folder: Path, measured: Sequence[Pair], task: Task, *, channels: Channels, progress: Progress
) -> Threshold:
    """Return the threshold with the highest pooled F1; of equal ones the nearest to 0.5.

    Args:
        folder: predictions of training images with probabilities, best of networks that did not
            see them, as a cross-validation leaves them.
        measured: what will be measured with the threshold.
        task: of all masks.
        channels: what probabilities mean.
        progress: where to show what happens.

    Raises:
        ConfigError: there are several classes, whose thresholds could not be chosen one by one, or
            the images are those that will be measured.
        DataError: there is nothing to choose on.
    """
    if len(channels.names) != 1:
        raise ConfigError(
            f"{OPTION} is for one class; the dataset has {', '.join(channels.names)}.",
            fix=f"leave out {OPTION}.",
        )
    pairs = _training_pairs(folder, measured, task)
    checked = check_pairs(pairs, task, progress)

    def counts(pair: Pair) -> "Array":
        files = (pair.reference, pair.prediction)
        masks = [read_mask(file, checked.reader, task.ending) for file in files]
        refuse(folder, grouped(fault for fault in masks if isinstance(fault, FileFault)))
        reference, mask = (mask.values[0] for mask in masks if isinstance(mask, Raster))
        found = read_probabilities(pair.prediction, task.ending, channels, mask=mask)
        return _counts(reference, found.of(channels.names[0]), task)

    progress.start_cases(f"Choosing the threshold on {folder}", len(pairs))
    each = in_threads(counts, pairs, lambda: progress.case(""))
    progress.close()
    step, f1 = _best(each)
    return Threshold(step, f1, len(pairs), folder)


def _training_pairs(folder: Path, measured: Sequence[Pair], task: Task) -> list[Pair]:
    predictions = _predictions(folder, task.ending)
    if not predictions:
        raise DataError(
            f"{OPTION} {folder} holds no masks *{task.ending}.",
            fix="the validation of a fold, or of all folds together, with its CASE.npz.",
        )
    entries = read_json(folder / SUMMARY, "vit_cli evaluate writes it.")["metric_per_case"]
    references = {Path(e["prediction_file"]).name: Path(e["reference_file"]) for e in entries}
    pairs = [Pair(file, references.get(file.name, Path())) for file in predictions]
    missing = [pair.prediction.name for pair in pairs if not pair.reference.is_file()]
    if missing:
        raise DataError(
            f"{folder / SUMMARY} names no true masks that are there for {shortened(missing)}.",
            fix=f"vit_cli evaluate -p {folder} -r TRUE_MASKS",
        )
    without = lacking(pairs, task.ending)
    if without:
        raise DataError(
            f"{OPTION} needs probabilities, CASE.npz, beside the masks of {folder}; they lack for "
            f"{shortened([mask.name for mask in without])}.",
            fix="vit_cli train … --probabilities keeps those of a validation.",
        )
    same = _measured_too(pairs, measured)
    if same:
        raise ConfigError(
            f"{OPTION} {folder} has images that are measured too: {shortened(same)}; their "
            "threshold would flatter them.",
            fix="predictions of training images, measured on others.",
        )
    return pairs


def _predictions(folder: Path, ending: str) -> list[Path]:
    """Return the masks of a folder; of merged validations those of the folds, with what is beside.

    nnU-Net merges masks alone: probabilities stay with the folds.
    """
    if not folder.is_dir():
        return []
    files = files_of(folder, ending)
    if not folds_merged_in(folder.resolve()):
        return files
    folds = sorted(folder.resolve().parent.glob(f"fold_*/{VALIDATION}"))
    places = {file.name: file for fold in folds for file in files_of(fold, ending)}
    return [places.get(file.name, file) for file in files]


def _measured_too(pairs: Sequence[Pair], measured: Sequence[Pair]) -> list[str]:
    """Return the names of images that are measured too, also where they lie as copies.

    nnU-Net keeps a copy of the labels beside the preprocessed data. Masks of other names may be
    equal: empty ones are.
    """
    files = {pair.reference.name: pair.reference for pair in measured}
    beside = [(pair.reference, files.get(pair.reference.name)) for pair in pairs]
    return [
        one.name
        for one, other in beside
        if other is not None and (one.samefile(other) or cmp(one, other, shallow=False))
    ]


def _counts(reference: "Array", probability: "Array", task: Task) -> "Array":
    """Return how many pixels reach each threshold and no higher one: (2, STEPS + 1), true, false.

    Shapes: reference and probability (Z, Y, X).
    """
    import numpy as np

    ((_, numbers),) = task.labels.classes.items()
    counted_pixels = reference != task.labels.ignore
    steps, truth = steps_of(probability), np.isin(reference, numbers)
    kinds = (truth & counted_pixels, ~truth & counted_pixels)
    return np.stack([np.bincount(steps[kind], minlength=STEPS + 1) for kind in kinds])


def _best(counts: "list[Array]") -> tuple[int, float]:
    """Return the best threshold's number and its pooled F1.

    Raises:
        DataError: no image has a pixel of the class.
    """
    import numpy as np

    total = np.sum(counts, axis=0)
    positives = total[0].sum()
    if not positives:
        raise DataError(f"{OPTION}: no training image has a pixel of the class.")
    true, false = (row[::-1].cumsum()[::-1] for row in total)  # at or above each threshold
    f1 = 2 * true / (true + false + positives)
    f1[0] = -1.0  # 0 is no threshold: all pixels reach it
    best = np.flatnonzero(f1 == f1.max())
    step = int(best[np.abs(best - STEPS // 2).argmin()])
    return step, float(f1[step])
