"""splits_final.json follows the cases: new ones join, removed ones leave, nobody else moves."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.folds.fold_check import check_agreement
from nnunet_vit.data.folds.fold_rules import NO_RULES, FoldRules
from nnunet_vit.data.folds.splits_origin import origin_of, same_patients, write_origin
from nnunet_vit.data.splits import FIX, NAME, SIDES, Split, extended, read_splits, without
from nnunet_vit.errors import DataError, shortened
from nnunet_vit.files.json_file import read_json, write_json

KEPT = "splits_before_update_{}_cases.json"  # the splits that an update has replaced


def updated_splits(
    dataset: Dataset,
    cases: Sequence[str],
    added: Sequence[str],
    *,
    removed: Sequence[str],
    rules: FoldRules = NO_RULES,
) -> list[Split] | None:
    """Return the splits that the file should hold, or None where it may stay as it is.

    Args:
        dataset: whose.
        cases: that there are.
        added: of them, those that are new; one that the file names already stays where it is.
        removed: that were there.
        rules: what the folds have to keep to: new cases go where others of their group are, and
            before that where the run's own folds have them.

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
    new = set(added) - named
    if new:
        _check_groups(path, cases, rules)
    if rules.own is not None and len(rules.own) == len(left):
        left = _with_own(left, rules.own, new)
        new -= {name for fold in left for side in SIDES for name in fold[side]}
    result = extended(left, new, rules.groups)
    check_agreement(path, result, rules)
    return None if result == splits else result


def _check_groups(path: Path, cases: Sequence[str], rules: FoldRules) -> None:
    """Refuse new cases of a run that puts other cases together than the splits do."""
    noted = origin_of(path.parent)
    before = {} if noted is None else noted.of_cases
    known = {case: group for case, group in before.items() if case in cases}
    now = {case: group for case, group in rules.groups.items() if case in known}
    if not same_patients(now, known):
        raise DataError(
            f"{path} was made with groups of cases; this run has others "
            f"({rules.source or 'none'}), and new cases would join by them.",
            fix="take data.groups out of the run file: the splits' own count then.",
        )


def _with_own(splits: list[Split], own: list[Split], new: set[str]) -> list[Split]:
    return [
        {side: [*fold[side], *(name for name in wanted[side] if name in new)] for side in SIDES}
        for fold, wanted in zip(splits, own, strict=True)
    ]


def write_splits(dataset: Dataset, splits: list[Split], rules: FoldRules = NO_RULES) -> str:
    """Write splits_final.json and keep the one before; return a line that says so."""
    path = dataset.preprocessed / NAME
    number = len({name for fold in read_json(path) for side in SIDES for name in fold[side]})
    kept = path.with_name(KEPT.format(number))
    shutil.copyfile(path, kept)
    noted = origin_of(path.parent)
    keeps = noted is not None and noted.of_cases and not rules.groups
    write_origin(path.parent, noted if noted is not None and keeps else rules.origin, splits)
    write_json(splits, path)
    return f"{path.name} has been changed, {kept.name} is the one before."
