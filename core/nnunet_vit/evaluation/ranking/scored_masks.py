"""What the masks of all validation cases come to: of a run, or of several averaged."""

import shutil
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import SUMMARY
from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.errors import DataError
from nnunet_vit.evaluation.comparing.run_results import RunResults
from nnunet_vit.evaluation.evaluate import measure
from nnunet_vit.evaluation.mask_pairs import Pair, Task
from nnunet_vit.evaluation.measurement import Measurement
from nnunet_vit.evaluation.nnunet_summary import summary_of, write_summary
from nnunet_vit.evaluation.ranking.averaging import out_of_fold, reader_of
from nnunet_vit.evaluation.ranking.comparable_runs import Run
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.report.progress import Progress

ENSEMBLES = "ensembles"  # nnU-Net's folder, beside those of the models
TOGETHER = 2  # cases whose probabilities are held at the same time


@dataclass(frozen=True)
class Contender:
    """One run or several, and their masks of all validation cases.

    Attributes:
        runs: whose probabilities are averaged; one: its masks are those of its validations.
        folder: of the masks.
        pairs: of the masks and the true ones.
        dice: mean over foreground classes of the means over cases, as nnU-Net ranks; without the
            absent ones.
        measurement: Dice of each case and class, likewise.
        absent: classes that no reference has: nnU-Net's mean is not a number for who rightly
            leaves them out, and one for who invents them.
    """

    runs: tuple[Run, ...]
    folder: Path
    pairs: tuple[Pair, ...]
    dice: float
    measurement: Measurement
    absent: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return " + ".join(run.name for run in self.runs)

    @property
    def task(self) -> Task:
        """What the masks show; it is the same for all of its runs."""
        return self.runs[0].task

    def results(self) -> RunResults:
        """Return it as comparisons take it."""
        masks = {p.prediction.name.removesuffix(self.task.ending): p.prediction for p in self.pairs}
        return RunResults(self.folder, tuple(self.runs[0].cases), masks, self.task)


def scored(
    runs: Sequence[Run], masks: Mapping[str, Path], references: Path, progress: Progress
) -> Contender:
    """Measure masks and write nnU-Net's summary.json beside them.

    Args:
        runs: that have made them.
        masks: by case, in one folder.
        references: folder of true masks.
        progress: where to show what happens.

    Raises:
        DataError: masks are not what they seem, or no true one shows anything.
    """
    task = runs[0].task
    pairs = [Pair(mask, references / mask.name) for _, mask in sorted(masks.items())]
    folder = pairs[0].prediction.parent
    name = " + ".join(run.name for run in runs)
    progress.start_work(f"Measuring {name}")
    classes, measurement = measure(
        pairs, task, Wanted(("dice",)), progress=Progress(), name=str(folder)
    )
    progress.close()
    results = summary_of(measurement.cases, list(classes))
    write_summary(results, folder / SUMMARY)
    absent = _absent(measurement)
    ranked = {key: name for key, name in classes.items() if name not in absent}
    if not ranked:
        raise DataError(f"No mask in {references} shows a foreground class: nothing can be ranked.")
    dice = statistics.fmean(float(results["mean"][key]["Dice"]) for key in ranked)
    measurement = replace(measurement, classes=list(ranked.values()))
    return Contender(tuple(runs), folder, tuple(pairs), dice, measurement, absent)


def _absent(measurement: Measurement) -> tuple[str, ...]:
    """Return the classes that no reference has."""
    return tuple(
        name
        for name in measurement.classes
        if all(case.empty[name] in ("reference", "both") for case in measurement.cases)
    )


def ensemble_of(runs: Sequence[Run], references: Path, progress: Progress) -> Contender:
    """Average the out-of-fold probabilities of runs; write their masks where nnU-Net does.

    Raises:
        DataError: probabilities are damaged, or of other validations than the masks.
    """
    cases, task = sorted(runs[0].masks), runs[0].task
    folder = ensemble_folder(runs)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    labels, writer = task.label_manager(), reader_of(task)

    def average(case: str) -> Path:
        probabilities, properties = out_of_fold(runs, case)
        mask = labels.convert_probabilities_to_segmentation(probabilities)
        writer.write_seg(mask, str(folder / f"{case}{task.ending}"), properties)
        return folder / f"{case}{task.ending}"

    progress.start_work(f"Averaging {' and '.join(run.name for run in runs)}")
    written = in_threads(average, cases, most=TOGETHER)
    progress.close()
    for name in MODEL_FILES:
        shutil.copy(runs[0].path / name, folder)
    return scored(runs, dict(zip(cases, written, strict=True)), references, progress)


def ensemble_folder(runs: Sequence[Run]) -> Path:
    """Return nnU-Net's folder for the masks of an ensemble."""
    names = [run.path.name for run in runs]
    folds = "_".join(map(str, runs[0].cases))
    return runs[0].path.parent / ENSEMBLES / "___".join(["ensemble", *names, folds])
