"""What a model's validation came to, in a few numbers, and without a name of a case."""

import math
from collections.abc import Sequence

from nnunet_vit.checkpoints.fold_folder import Kind
from nnunet_vit.data.labels import labels_of
from nnunet_vit.evaluation.fold_splits import split_doubt
from nnunet_vit.evaluation.measurement import known_mean
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.model_folder import ModelFolder
from nnunet_vit.inference.run_list import dice_of_cases, mean_of_classes
from nnunet_vit.sharing.installed_record import installed_manifest

PLACES = 4  # decimals


def validation_figures(model: ModelFolder, folds: Sequence[str], kind: Kind) -> JsonObject | None:
    """Return Dice, cases and folds of nnU-Net's summaries; None: nothing joins them.

    Nothing is validated then, or the folds were trained on different splits.

    A model of all cases is validated on what it was trained on, which tells nothing. An installed
    model has the figures of its bundle.

    Args:
        model: the folder.
        folds: whose.
        kind: of their checkpoints: it is the final ones that are validated.
    """
    if (known := installed_manifest(model.path)) is not None:
        return known.validation if set(folds) == set(known.folds) else None
    if not split_doubt(model.path, folds).joins:
        return None
    numbered = [fold for fold in folds if fold != "all" and kind == "final"]
    found = {fold: dice_of_cases(model.path / f"fold_{fold}") for fold in numbered}
    cases = [case for per_case in found.values() for case in per_case]
    mean = mean_of_classes(cases)
    if mean is None:
        return None
    return {
        "folds": [fold for fold, per_case in found.items() if per_case],
        "cases": len(cases),
        "mean_dice": round(mean, PLACES),
        "dice": _of_classes(cases, model.description),
    }


def _of_classes(cases: Sequence[dict[str, float]], description: JsonObject) -> dict[str, float]:
    names = {_key(numbers): name for name, numbers in labels_of(description).classes.items()}
    means = {key: known_mean(case.get(key, math.nan) for case in cases) for key in cases[0]}
    return {
        names.get(key, key): round(mean, PLACES)
        for key, mean in means.items()
        if not math.isnan(mean)
    }


def _key(numbers: Sequence[int]) -> str:
    """Return what nnU-Net's summary calls a class, or a region of several labels."""
    return str(numbers[0]) if len(numbers) == 1 else str(tuple(numbers))
