"""nnU-Net's own file of a folder's numbers: summary.json, as its scripts read it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.evaluation.measuring import CaseValues, Key
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writing import replacing

if TYPE_CHECKING:
    import numpy as np


def summary_of(cases: Sequence[CaseValues], keys: Sequence[Key]) -> JsonObject:
    """Return nnU-Net's metrics and their means as its compute_metrics_on_folder does.

    That one starts processes that load torch, and takes files of other programs for masks.
    """
    import numpy as np
    from nnunetv2.utilities.json_export import recursive_fix_for_json_export

    entries = [case.summary for case in cases]
    measures = list(entries[0]["metrics"][keys[0]])
    mean: dict[Key, dict[str, np.floating]] = {}
    for key in keys:
        values = {m: [case["metrics"][key][m] for case in entries] for m in measures}
        mean[key] = {m: _nanmean(values[m]) for m in measures}
    overall: JsonObject = {m: np.mean([mean[key][m] for key in keys]) for m in measures}
    for part in (*entries, mean, overall):
        recursive_fix_for_json_export(part)
    return {"metric_per_case": entries, "mean": mean, "foreground_mean": overall}


def write_summary(results: JsonObject, summary: Path) -> None:
    """Write the file as nnU-Net does."""
    from nnunetv2.evaluation.evaluate_predictions import save_summary_json

    with replacing(summary) as unfinished:
        save_summary_json(results, str(unfinished))


def dice_per_case(results: JsonObject) -> dict[str, float]:
    """Return the mean Dice of each predicted file over the classes that it or its reference has."""
    return {
        Path(case["prediction_file"]).name: _mean_dice(case["metrics"])
        for case in results["metric_per_case"]
    }


def _nanmean(values: list[float]) -> "np.floating":
    """Return the mean without NaN; NaN, and no warning, where a class is in no mask at all."""
    import numpy as np

    there = [value for value in values if value == value]
    return np.mean(there) if there else np.float64("nan")


def _mean_dice(metrics: dict[object, dict[str, float]]) -> float:
    values = [entry["Dice"] for entry in metrics.values() if entry["Dice"] == entry["Dice"]]
    return sum(values) / len(values) if values else float("nan")
