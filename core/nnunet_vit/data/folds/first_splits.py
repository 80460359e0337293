"""splits_final.json where there is none yet: nnU-Net's folds, or those that the run asks for."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from nnunet_vit.data.folds.class_amounts import class_amounts
from nnunet_vit.data.folds.fold_check import check_agreement
from nnunet_vit.data.folds.fold_making import Amounts, splits_of_groups
from nnunet_vit.data.folds.fold_rules import FoldRules
from nnunet_vit.data.folds.splits_origin import ORIGIN, Origin, write_origin
from nnunet_vit.data.splits import NAME, Split, usual_splits
from nnunet_vit.errors import counted
from nnunet_vit.files.json_file import JsonMapping, read_json, write_json


def ensure_splits(
    folder: Path,
    cases: Sequence[str],
    rules: FoldRules,
    *,
    labels: Path,
    description: JsonMapping,
    log: Callable[[str], object],
) -> None:
    """Write the splits where there is no file: several folds may start at once.

    Args:
        folder: of the preprocessed data.
        cases: of the dataset.
        rules: what the folds have to keep to.
        labels: the folder of the label files, read where classes are balanced.
        description: dataset.json.
        log: takes one line where the folds are not nnU-Net's.

    Raises:
        DataError: splits are there and break the rules, or label files cannot be read.
    """
    path = folder / NAME
    if os.path.lexists(path):  # perhaps another run has made them meanwhile, by rules of its own
        check_agreement(path, read_json(path), rules)
        return
    amounts = class_amounts(labels, sorted(cases), description) if rules.stratify else None
    splits = first_splits(cases, rules, amounts)
    if rules.origin == Origin():
        (folder / ORIGIN).unlink(missing_ok=True)  # of splits that have been moved away
    else:
        write_origin(folder, rules.origin, splits)
    write_json(splits, path)
    if not rules.are_usual:
        log(f"{path}: {_told(splits, rules)}.")


def first_splits(
    cases: Sequence[str], rules: FoldRules, amounts: Amounts | None = None
) -> list[Split]:
    """Return the folds of a dataset that has none yet.

    Args:
        cases: of the dataset.
        rules: what the folds have to keep to.
        amounts: of each class in each case, where classes are balanced.
    """
    if rules.own is not None:
        return rules.own
    if not rules.groups and amounts is None:
        return usual_splits(cases)
    return splits_of_groups({case: rules.groups.get(case, case) for case in cases}, amounts)


def _told(splits: list[Split], rules: FoldRules) -> str:
    if rules.own is not None:
        text = f"the folds of {rules.own_path}"
    else:
        groups = len(set(rules.groups.values()))
        text = f"{counted(len(splits), 'fold')}"
        text += f" of {counted(groups, 'group')} by {rules.source}" if groups else ""
        text += ", classes balanced" if rules.stratify else ""
    sizes = ", ".join(str(len(fold["val"])) for fold in splits)
    return f"{text}; validation cases: {sizes}"
