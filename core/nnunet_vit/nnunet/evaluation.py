"""Dice of predicted masks, by nnU-Net's own evaluation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunet_vit.errors import DataError
from nnunet_vit.nnunet.dataset import class_names
from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.report.progress import Progress

SHOWN = 5  # of a list of missing masks


@dataclass(frozen=True)
class Scores:
    """Dice (0 to 1) of a folder of masks.

    Attributes:
        mean: over foreground classes and cases.
        per_class: by the class's name, mean over cases.
        per_case: by case, mean over foreground classes.
        summary: nnU-Net's file with everything.
    """

    mean: float
    per_class: dict[str, float]
    per_case: dict[str, float]
    summary: Path

    def as_text(self) -> str:
        """Return the scores as lines for people."""
        lines = [f"Dice on {len(self.per_case)} cases: mean {self.mean:.3f}"]
        lines += [f"  {name}: {value:.3f}" for name, value in self.per_class.items()]
        return "\n".join([*lines, f"Per case: {self.summary}"])


def evaluate_folder(predictions: Path, references: Path, progress: Progress) -> Scores:
    """Compare each reference with the prediction of its name and write summary.json beside them.

    Raises:
        DataError: a folder or a prediction is missing.
    """
    use_processors()
    description, plans = predictions / "dataset.json", predictions / "plans.json"
    _check_there(predictions, references, description, plans)
    from batchgenerators.utilities.file_and_folder_operations import load_json
    from nnunetv2.configuration import default_num_processes
    from nnunetv2.evaluation.evaluate_predictions import (
        compute_metrics_on_folder2,
        load_summary_json,
    )
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    content = load_json(str(description))
    _check_pairs(predictions, references, content["file_ending"])
    summary = predictions / "summary.json"
    progress.say(f"Evaluating {predictions} against {references} …")
    compute_metrics_on_folder2(
        str(references),
        str(predictions),
        str(description),
        str(plans),
        str(summary),
        num_processes=default_num_processes,
    )
    results = load_summary_json(str(summary))
    names = names_by_key(PlansManager(str(plans)).get_label_manager(content), content)
    return Scores(
        mean=float(results["foreground_mean"]["Dice"]),
        per_class={names[str(k)]: float(v["Dice"]) for k, v in results["mean"].items()},
        per_case={
            Path(case["prediction_file"]).name: _mean_dice(case["metrics"])
            for case in results["metric_per_case"]
        },
        summary=summary,
    )


def names_by_key(labels: Any, description: dict[str, Any]) -> dict[str, str]:  # noqa: ANN401
    """Return the classes' names by what nnU-Net's summary calls them: a label, or a region."""
    wanted = labels.foreground_regions if labels.has_regions else labels.foreground_labels
    return {str(key): name for key, name in zip(wanted, class_names(description), strict=True)}


def _check_there(*needed: Path) -> None:
    for path in needed:
        if not path.exists():
            raise DataError(
                f"{path} is missing.",
                fix="`vit_cli predict` writes dataset.json and plans.json beside its masks; for "
                "other masks copy them from the model folder.",
            )


def _mean_dice(metrics: dict[object, dict[str, float]]) -> float:
    values = [entry["Dice"] for entry in metrics.values() if entry["Dice"] == entry["Dice"]]
    return sum(values) / len(values) if values else float("nan")


def _check_pairs(predictions: Path, references: Path, ending: str) -> None:
    wanted = {file.name for file in references.glob(f"*{ending}")}
    there = {file.name for file in predictions.glob(f"*{ending}")}
    if not wanted:
        raise DataError(f"{references} holds no mask *{ending}.")
    for folder, own, needed in ((predictions, there, wanted), (references, wanted, there)):
        absent = sorted(needed - own)
        if absent:
            named = ", ".join(absent[:SHOWN]) + (", …" if len(absent) > SHOWN else "")
            raise DataError(f"{folder} lacks {len(absent)} of {len(needed)} masks: {named}.")
