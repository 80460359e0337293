"""Metrics of predicted masks, of masks that have been looked at; Dice and IoU are nnU-Net's own."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.fold_folder import SUMMARY
from nnunet_vit.checkpoints.validation_summary import damage_of, summary_entries
from nnunet_vit.data.dataset import class_names
from nnunet_vit.errors import UserError, counted, shortened
from nnunet_vit.evaluation.checked_masks import check_pairs
from nnunet_vit.evaluation.fields_of_view import check_fields
from nnunet_vit.evaluation.mask_pairs import Pair, Task, find_pairs, is_validation, task_of
from nnunet_vit.evaluation.measurement import Measurement, known_mean, left_out_text
from nnunet_vit.evaluation.measuring import Key, Measuring, measure_pairs
from nnunet_vit.evaluation.metric_files import write_metrics
from nnunet_vit.evaluation.metric_table import table
from nnunet_vit.evaluation.nnunet_summary import dice_per_case, summary_of, write_summary
from nnunet_vit.evaluation.probabilities import Channels
from nnunet_vit.evaluation.threshold import choose_threshold
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writable import check_writable
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.text_width import WIDTH

if TYPE_CHECKING:
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

COPIED = "copy the masks to a folder of your own, or allow writing there."


@dataclass(frozen=True)
class Scores:
    """Metrics of a folder of masks.

    Attributes:
        mean: Dice over foreground classes and cases.
        per_class: Dice by the class's name, mean over cases.
        per_case: Dice by case, mean over foreground classes.
        summary: the file of all cases: nnU-Net's, or ours of other masks or of parts of images.
        task: what the masks should show.
        pairs: the masks that were compared, in the order of `per_case`.
        measurement: all metrics that were wanted.
        files: what was written besides nnU-Net's file.
    """

    mean: float
    per_class: dict[str, float]
    per_case: dict[str, float]
    summary: Path
    task: Task | None = None
    pairs: tuple[Pair, ...] = ()
    measurement: Measurement | None = None
    files: tuple[Path, ...] = ()

    def as_text(self, columns: int = WIDTH) -> str:
        """Return the scores as lines for people, with a table of at most so many columns."""
        left_out = left_out_text(self.per_class)
        mean = known_mean(self.per_class.values()) if left_out else self.mean
        made = None if self.measurement is None else self.measurement.threshold
        at = "" if made is None else f" at the threshold {made.value:g}"
        lines = [f"Dice on {counted(len(self.per_case), 'case')}{at}: mean {mean:.3f}"]
        lines[0] += f" ({left_out})" if left_out else ""
        lines += [] if made is None else [made.as_text()]
        lines += [f"  {name}: {value:.3f}" for name, value in self.per_class.items()]
        if self.measurement is not None:
            lines.append(table(self.measurement, columns))
            names = " and ".join(file.name for file in self.files)
            lines.append(f"Metrics per case: {names}, beside the masks.")
        return "\n".join([*lines, f"Per case: {self.summary}"])


def evaluate_folder(
    predictions: Path,
    references: Path,
    progress: Progress,
    *,
    model: Path | None = None,
    wanted: Wanted | None = None,
) -> Scores:
    """Compare each reference with the prediction of its name; write summary.json and metrics.

    Args:
        predictions: masks; of a fold's validation, those of its cases alone.
        references: masks of the same names.
        progress: where to show what happens.
        model: a model folder, whose dataset.json and plans.json count; None: those beside the
            predictions or above them.
        wanted: what to measure; None: what is usual for regions.

    Raises:
        ConfigError: a metric is unknown, or needs what is not there.
        DataError: a folder or a mask is missing, or masks are not what they seem; names them all.
        MachineError: nothing can be written beside the predictions.
        ModelError: dataset.json or plans.json is damaged.
    """
    use_processors()
    wanted = wanted or Wanted()
    wanted.chosen(progress.warn)  # a wrong name is told before any file is read
    task = task_of(predictions, references, model)
    pairs = find_pairs(predictions, references, task, progress=progress)
    check_writable(predictions, f"Metrics beside the masks of {predictions}", COPIED)
    name = f"{predictions} against {references}"
    classes, measurement = measure(pairs, task, wanted, progress=progress, name=name)
    results = summary_of(measurement.cases, list(classes))
    files = write_metrics(measurement, predictions)
    summary = predictions / SUMMARY
    if wanted.of_whole_masks and _names_others(summary, references):
        progress.log(f"{summary} stays: it is of the masks that the run was validated against.")
        summary = files[0]
    elif wanted.of_whole_masks:
        if (damage := damage_of([summary])) is not None:
            progress.warn(f"{damage.problem} It is written again, of {references}.")
        write_summary(results, summary)
    else:  # nnU-Net's tools take it for all pixels of the masks that are there
        summary = files[0]
    return Scores(
        mean=float(results["foreground_mean"]["Dice"]),
        per_class={name: float(results["mean"][key]["Dice"]) for key, name in classes.items()},
        per_case=dice_per_case(results),
        summary=summary,
        task=task,
        pairs=tuple(pairs),
        measurement=measurement,
        files=files,
    )


def _names_others(summary: Path, references: Path) -> bool:
    """Tell whether a run's validation is measured against other masks than its summary names.

    `compare`, `runs` and nnU-Net's tools take that file for the run's own result.
    """
    if not is_validation(summary.parent):
        return False
    with contextlib.suppress(UserError, LookupError, TypeError):
        named = Path(summary_entries(summary)[0]["reference_file"]).parent
        return named.resolve() != references.resolve()
    return False


def measure(
    pairs: list[Pair], task: Task, wanted: Wanted, *, progress: Progress, name: str
) -> tuple[Mapping[Key, str], Measurement]:
    """Check masks and measure them; nothing is written.

    Args:
        pairs: of masks that are there.
        task: what they should show.
        wanted: what to measure.
        progress: where to show what happens.
        name: what is evaluated, for people.

    Returns:
        The classes by nnU-Net's key of each, and what was measured.

    Raises:
        DataError: masks are not what they seem; names them all.
    """
    measuring = _measuring(pairs, task, wanted, progress=progress)
    progress.start_cases(f"Evaluating {name}", len(pairs))
    with captured(f"nnU-Net cannot evaluate {name}", progress):
        cases = measure_pairs(pairs, measuring, progress)
    progress.close()
    differing = [case.name for case in cases if case.differs]
    if differing:
        progress.warn(
            f"{counted(len(differing), 'mask')} of {len(cases)} are not what their probabilities "
            f"say ({shortened(differing)}): post-processed, or of another prediction?"
        )
    names = list(measuring.classes.values())
    found = Measurement(measuring.metrics, wanted.options, names, cases, wanted.fields,
                        measuring.threshold)  # fmt: skip
    return measuring.classes, found


def _measuring(pairs: list[Pair], task: Task, wanted: Wanted, *, progress: Progress) -> Measuring:
    labels = task.label_manager()
    metrics = wanted.measurable(pairs, task.ending, progress.warn)
    checked = check_pairs(pairs, task, progress)
    if wanted.fields is not None:
        check_fields(pairs, wanted.fields, checked, ending=task.ending)
    classes = classes_of(labels, task.description)
    regions = tuple(task.description["regions_class_order"]) if labels.has_regions else ()
    channels = Channels(tuple(classes.values()), regions)
    threshold = None
    if wanted.threshold_from is not None:
        threshold = choose_threshold(
            wanted.threshold_from, pairs, task, channels=channels, progress=progress
        )
    reads = threshold is not None or any(metric.of_probabilities for metric in metrics)
    return Measuring(
        checked,
        task.ending,
        classes,
        labels.ignore_label,
        metrics,
        wanted.options,
        wanted.fields,
        channels if reads else None,
        threshold,
    )


def names_by_key(labels: "LabelManager", description: JsonObject) -> dict[str, str]:
    """Return the classes' names by what nnU-Net's summary calls them: a label, or a region."""
    return {str(key): name for key, name in classes_of(labels, description).items()}


def classes_of(labels: "LabelManager", description: JsonObject) -> Mapping[Key, str]:
    """Return the names of the foreground classes or regions by nnU-Net's key of each."""
    keys = labels.foreground_regions if labels.has_regions else labels.foreground_labels
    return dict(zip(keys, class_names(description), strict=True))
