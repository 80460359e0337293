"""Whether a fold can be trained: splits that are there are sound, and do what the run file says."""

import os
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.data.folds.fold_rules import NO_RULES, FoldCases, FoldRules
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
    problems = list(_on_both_sides(splits, rules))
    own = str(path) == rules.own_path
    if not own:
        problems += _unlike_own(splits, rules)
        origin = origin_of(path.parent)
        if rules.stratify and rules.own is None and not (origin and origin.stratify):
            problems.append("data.stratify is true, and these folds were made without it")
    if not problems:
        return
    shown = "; ".join(problems[:SHOWN_PROBLEMS])
    rest = f"; … ({len(problems)} in all)" if len(problems) > SHOWN_PROBLEMS else ""
    raise DataError(f"{path}: {shown}{rest}.", fix=_ways_out(path, rules, own=own))


def _ways_out(path: Path, rules: FoldRules, *, own: bool) -> str:
    given = [f"data.{key}" for key, is_said in (
        ("splits", rules.own is not None), ("stratify", rules.stratify),
        ("groups", rules.source.startswith("data.groups")),
    ) if is_said]  # fmt: skip
    keep = f"take {' and '.join(given)} out of the run file" if given else ""
    if rules.groups and not rules.source.startswith("data.groups"):
        keep = f"{keep}, and set data.groups: false" if keep else "data.groups: false"
    if own:
        return f"correct it, or {keep}."
    return (
        f"{keep}, to train with the folds that are there; or move {path.name} away, and folds are "
        "made anew: what was trained with it is then of other folds."
    )


def _on_both_sides(splits: list[Split], rules: FoldRules) -> Iterator[str]:
    for number, fold in enumerate(splits):
        trained, validated = (
            {rules.groups[case] for case in fold[side] if case in rules.groups} for side in SIDES
        )
        both = sorted(trained & validated)
        if both:
            named = f"group{'s' * (len(both) > 1)} {shortened(both)}"
            yield f"fold {number}: {named} in 'train' and in 'val', by {rules.source}"


def _unlike_own(splits: list[Split], rules: FoldRules) -> Iterator[str]:
    """Yield how folds differ from those of data.splits; cases that it does not name may join."""
    if rules.own is None:
        return
    if len(splits) != len(rules.own):
        yield f"has {counted(len(splits), 'fold')}, data.splits {len(rules.own)}"
        return
    named = {case for fold in rules.own for side in SIDES for case in fold[side]}
    there = {case for fold in splits for side in SIDES for case in fold[side]}
    for number, (fold, own) in enumerate(zip(splits, rules.own, strict=True)):
        for side in SIDES:
            other = (set(fold[side]) & named) ^ (set(own[side]) & there)
            if other:
                yield (
                    f"fold {number}: '{side}' differs from {rules.own_path} in "
                    f"{shortened(sorted(other))}"
                )
