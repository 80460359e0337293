"""Dice of predicted masks, by nnU-Net's own metrics, of masks that have been looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.dataset import class_names
from nnunet_vit.errors import MachineError, counted
from nnunet_vit.evaluation.mask_pairs import Pair, Task, check_pairs, find_pairs, task_of
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writing import replacing
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from nnunetv2.imageio.base_reader_writer import BaseReaderWriter
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

SUMMARY = "summary.json"
Key = int | tuple[int, ...]  # a label, or a region


@dataclass(frozen=True)
class Scores:
    """Dice (0 to 1) of a folder of masks.

    Attributes:
        mean: over foreground classes and cases.
        per_class: by the class's name, mean over cases.
        per_case: by case, mean over foreground classes.
        summary: nnU-Net's file with everything.
        task: what the masks should show.
        pairs: the masks that were compared, in the order of `per_case`.
    """

    mean: float
    per_class: dict[str, float]
    per_case: dict[str, float]
    summary: Path
    task: Task | None = None
    pairs: tuple[Pair, ...] = ()

    def as_text(self) -> str:
        """Return the scores as lines for people."""
        lines = [f"Dice on {counted(len(self.per_case), 'case')}: mean {self.mean:.3f}"]
        lines += [f"  {name}: {value:.3f}" for name, value in self.per_class.items()]
        return "\n".join([*lines, f"Per case: {self.summary}"])


def evaluate_folder(
    predictions: Path, references: Path, progress: Progress, *, model: Path | None = None
) -> Scores:
    """Compare each reference with the prediction of its name and write summary.json beside them.

    Args:
        predictions: masks; of a fold's validation, those of its cases alone.
        references: masks of the same names.
        progress: where to show what happens.
        model: a model folder, whose dataset.json and plans.json count; None: those beside the
            predictions or above them.

    Raises:
        DataError: a folder or a mask is missing, or masks are not what they seem; names them all.
        ModelError: dataset.json or plans.json is damaged.
    """
    use_processors()
    task = task_of(predictions, references, model)
    pairs = find_pairs(predictions, references, task, progress=progress)
    labels = task.label_manager()
    reader = check_pairs(pairs, task, progress)
    progress.start_cases(f"Evaluating {predictions} against {references}", len(pairs))
    keys = labels.foreground_regions if labels.has_regions else labels.foreground_labels
    with captured(f"nnU-Net cannot compare {predictions} with {references}", progress):
        results = _measured(pairs, reader, keys, ignored=labels.ignore_label, progress=progress)
    summary = predictions / SUMMARY
    _write(results, summary)
    names = names_by_key(labels, task.description)
    return Scores(
        mean=float(results["foreground_mean"]["Dice"]),
        per_class={names[str(k)]: float(v["Dice"]) for k, v in results["mean"].items()},
        per_case={
            Path(case["prediction_file"]).name: _mean_dice(case["metrics"])
            for case in results["metric_per_case"]
        },
        summary=summary,
        task=task,
        pairs=tuple(pairs),
    )


def names_by_key(labels: "LabelManager", description: JsonObject) -> dict[str, str]:
    """Return the classes' names by what nnU-Net's summary calls them: a label, or a region."""
    wanted = labels.foreground_regions if labels.has_regions else labels.foreground_labels
    return {str(key): name for key, name in zip(wanted, class_names(description), strict=True)}


def _measured(
    pairs: Sequence[Pair],
    reader: "type[BaseReaderWriter]",
    keys: Sequence[Key],
    *,
    ignored: int | None,
    progress: Progress,
) -> JsonObject:
    """Return nnU-Net's metrics and their means as its compute_metrics_on_folder does.

    That one starts processes that load torch, and takes files of other programs for masks.
    """
    import numpy as np
    from nnunetv2.evaluation.evaluate_predictions import compute_metrics
    from nnunetv2.utilities.json_export import recursive_fix_for_json_export

    def measure(pair: Pair) -> JsonObject:
        files = str(pair.reference), str(pair.prediction)
        try:
            return dict(compute_metrics(*files, reader(), keys, ignored))
        except MemoryError as error:
            raise MachineError(
                f"{pair.reference}: memory ran out when it was compared: {error or 'no details'}.",
                fix="close other programs, or nnUNet_def_n_proc=1 in the environment.",
            ) from error

    cases = in_threads(measure, pairs, lambda: progress.case(""))
    measures = list(cases[0]["metrics"][keys[0]])
    mean: dict[Key, dict[str, np.floating]] = {}
    for key in keys:
        values = {m: [case["metrics"][key][m] for case in cases] for m in measures}
        mean[key] = {m: _nanmean(values[m]) for m in measures}
    overall: JsonObject = {m: np.mean([mean[key][m] for key in keys]) for m in measures}
    for part in (*cases, mean, overall):
        recursive_fix_for_json_export(part)
    return {"metric_per_case": cases, "mean": mean, "foreground_mean": overall}


def _nanmean(values: list[float]) -> "np.floating":
    """Return the mean without NaN; NaN, and no warning, where a class is in no mask at all."""
    import numpy as np

    there = [value for value in values if value == value]
    return np.mean(there) if there else np.float64("nan")


def _write(results: JsonObject, summary: Path) -> None:
    from nnunetv2.evaluation.evaluate_predictions import save_summary_json

    with replacing(summary) as unfinished:
        save_summary_json(results, str(unfinished))


def _mean_dice(metrics: dict[object, dict[str, float]]) -> float:
    values = [entry["Dice"] for entry in metrics.values() if entry["Dice"] == entry["Dice"]]
    return sum(values) / len(values) if values else float("nan")
