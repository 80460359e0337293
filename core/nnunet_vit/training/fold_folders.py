"""Folders of folds: held for a training, or emptied for one."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.checkpoints.merged_validations import MERGED, folds_merged_in
from nnunet_vit.errors import Stopped
from nnunet_vit.nnunet.folders import claim, empty


@contextlib.contextmanager
def claimed(folder: Path, folds: Sequence[int | str]) -> Iterator[list[str]]:
    """Hold the folders of all these folds, or of none; yield what is to be said about it.

    Raises:
        MachineError: another process trains in one.
    """
    with contextlib.ExitStack() as held:
        locks = [held.enter_context(claim(folder / f"fold_{fold}")) for fold in folds]
        yield [lock.notice for lock in locks if lock.notice]


def empty_folds(folder: Path, folds: Sequence[int | str]) -> None:
    """Delete what is in claimed folders of folds, and what was made of them together.

    A stop in between leaves no fold that looks finished.
    """
    places = [FoldFolder(folder / f"fold_{fold}") for fold in folds]
    for place in places:
        place.forget()
    remove_merged(folder, folds)
    for place in places:
        empty(place.path)


def remove_merged(folder: Path, folds: Sequence[int | str]) -> None:
    """Delete the merged validations of which one of the folds is a part."""
    for merged in folder.glob(f"{MERGED}_*"):
        if set(folds) & set(folds_merged_in(merged)):
            shutil.rmtree(merged)


def what_is_saved(fold_folder: Path, epochs: int, overwrite: bool = False) -> Stopped:
    """Say what a fold's folder holds.

    Args:
        fold_folder: of the fold that was stopped.
        epochs: of the whole training.
        overwrite: whether what is there was about to be deleted.
    """
    if overwrite:
        return Stopped("Nothing is overwritten yet: the same command starts from scratch.")
    fold = FoldFolder(fold_folder)
    epoch = fold.saved_epoch()
    if fold.is_trained(epochs):
        return Stopped("The training is done and saved, its validation is not.", resumes=True)
    if epoch is None:
        return Stopped(
            f"No epoch of {epochs} is saved yet: the same command trains from scratch. "
            "Preprocessed cases stay."
        )
    return Stopped(f"Epoch {epoch} of {epochs} is saved.", resumes=True)
