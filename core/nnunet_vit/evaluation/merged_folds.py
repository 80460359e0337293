"""The validations of a run's folds together: each case predicted by the model that did not see it.

They lie where nnU-Net's accumulate_crossval_results and find_best_configuration put them.
"""

import filecmp
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import VALIDATION, FoldFolder, check_lengths
from nnunet_vit.checkpoints.merged_validations import merged_name
from nnunet_vit.data.case_files import files_of
from nnunet_vit.data.model_files import MODEL_FILES, read_part
from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.evaluation.evaluate import Scores, evaluate_folder
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.report.progress import Progress

FIX = (
    "vit_cli train … --continue finishes folds; --overwrite trains them again where the splits "
    "have changed between them."
)


def merged_folder(model: Path, folds: Sequence[int]) -> Path:
    """Return nnU-Net's folder of the merged validations."""
    return model / merged_name(folds)


def merge_validations(
    model: Path,
    cases: Mapping[int, Collection[str]],
    references: Path,
    progress: Progress,
    wanted: Wanted | None = None,
) -> Scores:
    """Copy the masks of all validations into one folder and measure them there.

    What nnU-Net has put there besides, a rule of post-processing, stays while the masks are equal.

    Args:
        model: a model folder with the folds.
        cases: the validation cases of each fold, by the splits.
        references: masks of all cases.
        progress: where to show what happens.
        wanted: what to measure; None: what is usual.

    Raises:
        ModelError: a fold has predicted other cases than its own, or two folds the same.
        DataError: a mask is damaged.
    """
    target, _ = copy_validations(model, cases)
    return evaluate_folder(target, references, progress, wanted=wanted)


def copy_validations(
    model: Path, cases: Mapping[int, Collection[str]]
) -> tuple[Path, dict[str, Path]]:
    """Copy the masks of all validations into one folder, where they do not lie there already.

    Args:
        model: a model folder with the folds, ours or nnU-Net's.
        cases: the validation cases of each fold, by the splits.

    Returns:
        The folder, and the file in it of each case.

    Raises:
        ModelError: a fold has predicted other cases than its own, or two folds the same.
    """
    check_lengths([FoldFolder(model / f"fold_{fold}") for fold in cases])
    ending = str(read_part(model / "dataset.json", {"file_ending": str})["file_ending"])
    masks = _masks(model, cases, ending)
    target = merged_folder(model, list(cases))
    if not _holds(target, masks, ending):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for file in masks:
            shutil.copy(file, target)
    for name in MODEL_FILES:
        shutil.copy(model / name, target)
    return target, {file.name.removesuffix(ending): target / file.name for file in masks}


def _holds(target: Path, masks: Sequence[Path], ending: str) -> bool:
    if not target.is_dir():
        return False
    there = {file.name for file in files_of(target, ending)}
    return there == {file.name for file in masks} and all(
        filecmp.cmp(file, target / file.name, shallow=False) for file in masks
    )


def _masks(model: Path, cases: Mapping[int, Collection[str]], ending: str) -> list[Path]:
    """Return the masks of all folds; they are those of the folds' own cases, each once."""
    found: dict[str, Path] = {}
    for fold, own in cases.items():
        folder = model / f"fold_{fold}" / VALIDATION
        there = {file.name: file for file in files_of(folder, ending)} if folder.is_dir() else {}
        needed = {f"{case}{ending}" for case in own}
        twice, lacking, more = found.keys() & there, needed - there.keys(), there.keys() - needed
        for names, what in (
            (twice, "also predicted by another fold"),
            (lacking, "not predicted"),
            (more, "predicted, and no validation case of the fold"),
        ):
            if names:
                raise ModelError(f"{folder}: {what}: {shortened(sorted(names))}.", fix=FIX)
        found |= there
    return [found[name] for name in sorted(found)]
