"""The validations of a run's folds together: each case predicted by the model that did not see it.

They lie where nnU-Net's accumulate_crossval_results and find_best_configuration put them.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import SUMMARY, VALIDATION
from nnunet_vit.data.case_files import files_of
from nnunet_vit.data.model_files import MODEL_FILES, read_model
from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.evaluation.evaluate import Scores, evaluate_folder
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.report.progress import Progress


def merged_folder(model: Path, folds: Sequence[int]) -> Path:
    """Return nnU-Net's folder of the merged validations."""
    return model / f"crossval_results_folds_{'_'.join(map(str, folds))}"


def merge_validations(
    model: Path,
    folds: Sequence[int],
    references: Path,
    progress: Progress,
    wanted: Wanted | None = None,
) -> Scores:
    """Copy the masks of all validations into one folder and measure them there.

    Args:
        model: a model folder with the folds.
        folds: all of them validated.
        references: masks of all cases.
        progress: where to show what happens.
        wanted: what to measure; None: what is usual.

    Raises:
        ModelError: a fold is not validated, or two folds have predicted the same case.
        DataError: a mask is damaged.
    """
    _, description = read_model(model)
    masks = _masks(model, folds, str(description["file_ending"]))
    target = merged_folder(model, folds)
    if target.is_dir():
        shutil.rmtree(target)
    target.mkdir()
    for file in [*(model / name for name in MODEL_FILES), *masks]:
        shutil.copy(file, target)
    return evaluate_folder(target, references, progress, wanted=wanted)


def _masks(model: Path, folds: Sequence[int], ending: str) -> list[Path]:
    folders = {fold: model / f"fold_{fold}" / VALIDATION for fold in folds}
    without = [str(fold) for fold, place in folders.items() if not (place / SUMMARY).is_file()]
    if without:
        raise ModelError(
            f"{model}: not validated: fold {', '.join(without)}.",
            fix="vit_cli train … --continue finishes them.",
        )
    owners: dict[str, list[int]] = {}
    for fold, place in folders.items():
        for file in files_of(place, ending):
            owners.setdefault(file.name, []).append(fold)
    twice = sorted(name for name, of_folds in owners.items() if len(of_folds) > 1)
    if twice:
        raise ModelError(
            f"{model}: several folds have predicted {shortened(twice)}: the splits have changed "
            "between them.",
            fix="--overwrite trains all folds with the splits of today.",
        )
    return [folders[of_folds[0]] / name for name, of_folds in sorted(owners.items())]
