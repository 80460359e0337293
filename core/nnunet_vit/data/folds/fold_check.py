"""Whether a fold can be trained: splits that are there are sound, and do what the run file says."""

import os
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.data.folds.fold_rules import NO_RULES, OF_DATASET, FoldCases, FoldRules
from nnunet_vit.data.folds.splits_origin import origin_of
from nnunet_vit.data.splits import (
    NAME,
    SHOWN_PROBLEMS,
    SIDES,
    USUAL_FOLDS,
    Split,
    folds_text,
    left_out,
    read_splits,
)
from nnunet_vit.errors import ConfigError, DataError, counted, shortened


def check_fold(cases: FoldCases, fold: int | str, rules: FoldRules = NO_RULES) -> list[str]:
    """Check the splits file, or that folds can be made, and that the fold is one of them.

    Args:
        cases: that there are.
        fold: number, or `all`, which looks at no splits.
        rules: what the folds have to keep to.

    Returns:
        Lines for what the user should look at.

    Raises:
        ConfigError: there is no such fold.
        DataError: the splits are wrong or break the rules, or there is too little for five folds.
    """
    if fold == "all":
        return []
    path = cases.preprocessed / NAME
    if not os.path.lexists(path):  # a link to nothing is no reason to make other folds
        return [*rules.notices, *_check_new(path, cases, int(fold), rules=rules)]
    splits = read_splits(path, [*cases.present, *cases.leaving], cases.ending)
    check_agreement(path, splits, rules)
    if int(fold) >= len(splits):
        raise ConfigError(f"data.fold: {fold}; {path} has {folds_text(len(splits))}.")
    known = set(cases.present) | set(cases.leaving)
    return [*rules.notices, *left_out(path, splits, known - set(cases.joining))]


def _check_new(path: Path, cases: FoldCases, fold: int, *, rules: FoldRules) -> list[str]:
    if rules.own is not None:
        check_agreement(Path(rules.own_path), rules.own, rules)
        if fold >= len(rules.own):
            raise ConfigError(
                f"data.fold: {fold}; data.splits ({rules.own_path}) has "
                f"{folds_text(len(rules.own))}."
            )
        return left_out(Path(rules.own_path), rules.own, cases.present)
    number = len(set(rules.groups.values()) or cases.present)
    if number < USUAL_FOLDS:
        what = f"groups by {rules.source}" if rules.groups else "cases"
        more = "; or data.splits, a file of your own folds" if rules.groups else ""
        raise DataError(
            f"{path.parent.name} has {number} {what}; five folds need five.",
            fix=f"data.fold: all{more}",
        )
    if fold >= USUAL_FOLDS:
        raise ConfigError(
            f"data.fold: {fold}; without {path} nnU-Net makes folds 0 to {USUAL_FOLDS - 1}.",
            fix="one of them, all, or a splits file with more folds.",
        )
    return []


def check_agreement(path: Path, splits: list[Split], rules: FoldRules) -> None:
    """Refuse folds that are not what the run file or the dataset says.

    Args:
        path: of the file that holds them.
        splits: the folds.
        rules: what they have to keep to.

    Raises:
        DataError: names all that differs, and both ways out.
    """
    own = str(path) == rules.own_path
    problems = list(_on_both_sides(splits, rules))
    problems += [] if own else [*_unlike_own(splits, rules), *_unbalanced(path, rules)]
    if problems:
        texts = [text for _, text in problems]
        shown = "; ".join(texts[:SHOWN_PROBLEMS])
        rest = f"; … ({len(texts)} in all)" if len(texts) > SHOWN_PROBLEMS else ""
        keep = _without({key for key, _ in problems})
        fix = f"correct it, or {keep}." if own else (
            f"{keep}, to train with the folds that are there; or move {path.name} away, and folds "
            "are made again: what was trained with it is then of other folds."
        )  # fmt: skip
        raise DataError(f"{path}: {shown}{rest}.", fix)


def _without(keys: set[str]) -> str:
    """Return what to do about keys of the run file, or what stands for one that says nothing."""
    said = sorted(key for key in keys if key != OF_DATASET)
    ways = [f"take {' and '.join(said)} out of the run file"] if said else []
    return " and ".join([*ways, *(["set data.groups: false"] if OF_DATASET in keys else [])])


def _on_both_sides(splits: list[Split], rules: FoldRules) -> Iterator[tuple[str, str]]:
    both: set[str] = set()
    folds = []
    for number, fold in enumerate(splits):
        trained, validated = (
            {rules.groups[case] for case in fold[side] if case in rules.groups} for side in SIDES
        )
        both |= trained & validated
        folds += [str(number)] if trained & validated else []
    if both:
        key = "data.groups" if rules.are_said else OF_DATASET
        what = "a group is" if len(both) == 1 else f"{len(both)} groups are"
        where = f"fold{'s' * (len(folds) > 1)} {', '.join(folds)}"
        yield (
            key,
            (
                f"{what} in 'train' and in 'val' of {where}, by {rules.source}: "
                f"{shortened(sorted(both), SHOWN_PROBLEMS)}"
            ),
        )


def _unlike_own(splits: list[Split], rules: FoldRules) -> Iterator[tuple[str, str]]:
    """Yield how folds differ from those of data.splits; cases that it does not name may join."""
    if rules.own is None:
        return
    if len(splits) != len(rules.own):
        yield "data.splits", f"{counted(len(splits), 'fold')}, data.splits has {len(rules.own)}"
        return
    named = {case for fold in rules.own for side in SIDES for case in fold[side]}
    there = {case for fold in splits for side in SIDES for case in fold[side]}
    for number, (fold, own) in enumerate(zip(splits, rules.own, strict=True)):
        for side in SIDES:
            other = sorted((set(fold[side]) & named) ^ (set(own[side]) & there))
            if other:
                text = f"differs from {rules.own_path} in {shortened(other)}"
                yield "data.splits", f"fold {number}: '{side}' {text}"


def _unbalanced(path: Path, rules: FoldRules) -> Iterator[tuple[str, str]]:
    origin = origin_of(path.parent) if rules.stratify and rules.own is None else None
    if rules.stratify and not (origin and origin.stratify):
        yield "data.stratify", "data.stratify is true, and these folds were made without it"
