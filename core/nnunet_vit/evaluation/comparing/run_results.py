"""What a run has predicted: the validations of a model folder, or a folder of masks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FOLD, SUMMARY, VALIDATION, FoldFolder, check_lengths
from nnunet_vit.checkpoints.validation_summary import damage_of, summary_entries
from nnunet_vit.data.case_files import files_of
from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.errors import DataError, ModelError, shortened
from nnunet_vit.evaluation.mask_pairs import Task, task_of

OURS = "nnUNetTrainer_vit__"  # how the folders of all our models begin


@dataclass(frozen=True)
class RunResults:
    """The masks of a run.

    Attributes:
        path: as it was given.
        folds: whose validations they are; none for a folder of masks.
        masks: by case.
        task: what they should show.
    """

    path: Path
    folds: tuple[int, ...]
    masks: dict[str, Path]
    task: Task

    @property
    def name(self) -> str:
        """What people call it: the folder, without the trainer that all of ours have."""
        return self.path.resolve().name.removeprefix(OURS)


def read_results(path: Path, folds: Sequence[int] | None, references: Path) -> RunResults:
    """Return the masks of a run.

    Args:
        path: a model folder, or a folder of masks.
        folds: whose validations to take; None: of all that are validated.
        references: folder of true masks.

    Raises:
        DataError: it is neither.
        ModelError: a fold is not validated, its summary.json is damaged, or two folds have
            predicted one case.
    """
    check_folder(path)
    numbered = {fold.name[5:]: fold for fold in path.glob("fold_*") if FOLD.fullmatch(fold.name)}
    validated = {
        int(number): FoldFolder(fold)
        for number, fold in sorted(numbered.items())
        if number != "all" and (fold / VALIDATION / SUMMARY).is_file()
    }
    if not validated:
        folds_there = [folder.name for folder in path.glob("fold_*")]
        if folds_there == ["fold_all"]:
            raise ModelError(f"{path} has fold all alone, which has seen every case.", fix=KINDS)
        if folds_there:
            raise ModelError(f"{path}: no fold is validated.", fix="vit_cli train … --continue")
        return _of_masks(path, references)
    missing = [str(fold) for fold in folds or [] if fold not in validated]
    if missing:
        raise ModelError(f"{path}: not validated: fold {', '.join(missing)}.")
    used = tuple(dict.fromkeys(folds or sorted(validated)))
    if (
        damage := damage_of(validated[fold].path / VALIDATION / SUMMARY for fold in used)
    ) is not None:
        raise damage
    check_lengths([validated[fold] for fold in used])
    task = task_of(validated[used[0]].path / VALIDATION, references, path)
    masks: dict[str, Path] = {}
    for fold in used:
        found_here = _validation_masks(validated[fold], task.ending)
        twice = sorted(masks.keys() & found_here)
        if twice:
            raise ModelError(f"{path}: several folds have predicted {shortened(twice)}.")
        masks |= found_here
    return RunResults(path, used, masks, task)


def check_folder(path: Path) -> None:
    """Refuse what is no folder.

    Raises:
        DataError: it is a file, or nothing.
    """
    if not path.is_dir():
        raise DataError(f"{path} is {'a file' if path.exists() else 'missing'}.", fix=KINDS)


KINDS = "a model folder with validated folds, ours or nnU-Net's, or a folder of predicted masks."


def references_of(path: Path) -> Path | None:
    """Return the folder of true masks that a run's summary.json names, if it is there.

    Raises:
        ModelError: it is damaged, and there is no other that names one.
    """
    summaries = [path / SUMMARY, *sorted(path.glob(f"fold_*/{VALIDATION}/{SUMMARY}"))]
    for summary in summaries:
        try:
            folder = Path(summary_entries(summary)[0]["reference_file"]).parent
        except (DataError, LookupError, TypeError):
            continue
        if folder.is_dir():
            return folder
    if (damage := damage_of(summaries)) is not None:
        raise damage
    return None


def _validation_masks(fold: FoldFolder, ending: str) -> dict[str, Path]:
    """Return the masks of a validation, which are those that its summary names.

    Raises:
        ModelError: others lie among them, or some are gone: of splits that have changed.
    """
    folder = fold.path / VALIDATION
    there = _masks(folder, ending)
    differing = (fold.measured_masks() or set()) ^ {file.name for file in there.values()}
    if differing:
        cases = sorted(name.removesuffix(ending) for name in differing)
        raise ModelError(
            f"{folder} holds other masks than its summary.json names: {shortened(cases)}.",
            fix="validate again: vit_cli train … --continue, or nnUNetv2_train … --val.",
        )
    return there


def _of_masks(path: Path, references: Path) -> RunResults:
    if not all((path / name).is_file() for name in MODEL_FILES):
        if path.resolve().name == VALIDATION:
            raise DataError(
                f"{path} is the validation of one fold.",
                fix=f"{path.resolve().parents[1]} --folds {path.resolve().parent.name[5:]}",
            )
        raise DataError(f"{path} holds no results: no fold_0, and no dataset.json.", fix=KINDS)
    task = task_of(path, references, None)
    return RunResults(path, (), _masks(path, task.ending), task)


def _masks(folder: Path, ending: str) -> dict[str, Path]:
    found = {file.name.removesuffix(ending): file for file in files_of(folder, ending)}
    if not found:
        raise DataError(f"{folder} holds no mask *{ending}.")
    return found
