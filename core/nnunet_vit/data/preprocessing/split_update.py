"""splits_final.json follows the cases: new ones join, removed ones leave, nobody else moves."""

import shutil
from collections.abc import Sequence

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.splits import (
    FIX,
    NAME,
    SIDES,
    Split,
    extended,
    read_splits,
    usual_splits,
    without,
)
from nnunet_vit.errors import DataError, shortened
from nnunet_vit.files.json_file import read_json, write_json

KEPT = "splits_before_update_{}_cases.json"  # the splits that an update has replaced


def updated_splits(
    dataset: Dataset, cases: Sequence[str], added: Sequence[str], *, removed: Sequence[str]
) -> list[Split] | None:
    """Return the splits that the file should hold, or None where it may stay as it is.

    Args:
        dataset: whose.
        cases: that there are.
        added: of them, those that are new; one that the file names already stays where it is.
        removed: that were there.

    Raises:
        DataError: the file is wrong.
    """
    path = dataset.preprocessed / NAME
    if not path.exists() or not (added or removed):
        return None
    splits = read_splits(path, {*cases, *removed}, dataset.description["file_ending"])
    named = {name for fold in splits for side in SIDES for name in fold[side]}
    left = without(splits, removed)
    emptied = [number for number, fold in enumerate(left) if not all(fold.values())]
    if emptied:
        raise DataError(
            f"{path}: the removed cases {shortened(removed)} were all of a side of fold "
            f"{', '.join(map(str, emptied))}.",
            FIX,
        )
    result = extended(left, sorted(set(added) - named))
    return None if result == splits else result


def write_splits(dataset: Dataset, splits: list[Split]) -> str:
    """Write splits_final.json and keep the one before; return a line that says so."""
    path = dataset.preprocessed / NAME
    number = len({name for fold in read_json(path) for side in SIDES for name in fold[side]})
    kept = path.with_name(KEPT.format(number))
    shutil.copyfile(path, kept)
    write_json(splits, path)
    return f"{path.name} has been changed, {kept.name} is the one before."


def ensure_splits(dataset: Dataset, cases: Sequence[str]) -> None:
    """Write nnU-Net's own five folds where there is no file: several folds may start at once."""
    path = dataset.preprocessed / NAME
    if not path.exists():
        write_json(usual_splits(cases), path)
