"""splits_final.json: who trains and who validates in each fold, checked before anything is done."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from nnunet_vit.errors import DataError, shortened
from nnunet_vit.files.json_file import kind_of, read_json

NAME = "splits_final.json"
USUAL_FOLDS = 5  # what nnU-Net makes where there is no file
SIDES = ("train", "val")
SHOWN_PROBLEMS = 6
FORM = '[{"train": ["case", …], "val": ["case", …]}, …], one object per fold'
FIX = f"correct it, or delete it: without it nnU-Net makes {USUAL_FOLDS} folds of all cases."

Split = dict[str, list[str]]


def read_splits(
    path: Path, cases: Collection[str], ending: str = "", fix: str = FIX
) -> list[Split]:
    """Return the folds of a splits file.

    Args:
        path: the file.
        cases: all that there are.
        ending: of the image files, for the likeliest mistake in names.
        fix: what to do where it is wrong.

    Raises:
        DataError: it is no JSON, has another form, names unknown cases, has an empty side, or a
            case in both sides or twice in one; names all of it.
    """
    content = read_json(path, fix)
    if not isinstance(content, list) or not content:
        found = "has no fold" if content == [] else f"holds {kind_of(content)}"
        raise DataError(f"{path} {found}; needed: {FORM}.", fix)
    known = set(cases)
    problems = [
        f"fold {number}: {problem}"
        for number, fold in enumerate(content)
        for problem in _problems(fold, known, ending)
    ]
    if problems:
        shown = "; ".join(problems[:SHOWN_PROBLEMS])
        rest = f"; … ({len(problems)} in all)" if len(problems) > SHOWN_PROBLEMS else ""
        raise DataError(f"{path}: {shown}{rest}.", fix)
    return [{side: fold[side] for side in SIDES} for fold in content]


def _problems(fold: object, known: set[str], ending: str) -> Iterator[str]:
    if not isinstance(fold, dict):
        yield f"{kind_of(fold)}, not an object with train and val"
        return
    sides = {side: fold.get(side) for side in SIDES}
    for side, names in sides.items():
        if not isinstance(names, list):
            found = kind_of(names) if side in fold else "missing"
            yield f"'{side}' is {found}, not a list of cases"
        elif not names:
            yield f"'{side}' is empty"
        elif not all(isinstance(name, str) for name in names):
            yield f"'{side}' has names that are no texts"
        else:
            yield from _wrong_names(side, names, known, ending=ending)
    training, validation = (_texts(names) for names in sides.values())
    if training & validation:
        yield f"in 'train' and in 'val': {shortened(sorted(training & validation))}"


def _texts(names: object) -> set[str]:
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def _wrong_names(side: str, names: list[str], known: set[str], *, ending: str) -> Iterator[str]:
    unknown = sorted(set(names) - known)
    if unknown:
        ended = [name for name in unknown if ending and name.endswith(ending)]
        hint = f" (names of cases have no '{ending}')" if ended else ""
        verb = "is no case" if len(unknown) == 1 else "are no cases"
        yield f"'{side}': {shortened(unknown)} {verb} of the dataset{hint}"
    counts = Counter(names)
    twice = sorted(name for name in counts if counts[name] > 1 and side == "val")
    if twice:  # in train it is a way to draw a case more often
        yield f"'{side}' has more than once: {shortened(twice)}"


def validation_cases(path: Path, folds: Collection[int]) -> dict[int, list[str]]:
    """Return the validation cases of folds, by the splits file that training has checked.

    Raises:
        DataError: the file is missing, damaged or has no such fold.
    """
    content = read_json(path, FIX)
    try:
        return {fold: [str(case) for case in content[fold]["val"]] for fold in folds}
    except (LookupError, TypeError) as error:
        raise DataError(f"{path} lacks a fold of {_listed(folds)}.", FIX) from error


def split_of(path: Path, fold: int) -> tuple[list[str], list[str]]:
    """Return the training and validation cases of a fold, by a splits file that was checked.

    Raises:
        DataError: the file is missing, damaged or has no such fold.
    """
    content = read_json(path, FIX)
    try:
        training, validation = ([str(case) for case in content[fold][side]] for side in SIDES)
    except (LookupError, TypeError) as error:
        raise DataError(f"{path} lacks fold {fold}.", FIX) from error
    return training, validation


def _listed(folds: Collection[int]) -> str:
    return ", ".join(map(str, folds))


def folds_text(count: int) -> str:
    """Return what so many folds are called: folds 0 to 4."""
    return "fold 0 alone" if count == 1 else f"folds 0 to {count - 1}"


def left_out(path: Path, splits: list[Split], cases: Collection[str]) -> list[str]:
    """Return one line where cases are in no fold of a file, or none."""
    used = {name for fold in splits for side in SIDES for name in fold[side]}
    unused = sorted(set(cases) - used)
    if not unused:
        return []
    verb = "case is" if len(unused) == 1 else "cases are"
    return [f"{len(unused)} {verb} in no fold of {path}: {shortened(unused)}."]


def usual_splits(cases: Collection[str]) -> list[Split]:
    """Return the folds that nnU-Net makes of these cases."""
    from nnunetv2.utilities.crossval_split import generate_crossval_split

    splits = generate_crossval_split(sorted(cases), n_splits=USUAL_FOLDS)
    return [{side: [str(name) for name in fold[side]] for side in SIDES} for fold in splits]


def extended(
    splits: list[Split], new: Collection[str], groups: Mapping[str, str] | None = None
) -> list[Split]:
    """Return splits with new cases: each validates in one fold and trains in all others.

    It goes where others of its group are; without any to the fold with the fewest validation cases,
    the first of equals. Nobody else moves. A single split keeps its shares instead.

    Args:
        splits: that are there.
        new: cases that they do not name.
        groups: of each case, new or not; None: each is one by itself.
    """
    result = [{side: list(fold[side]) for side in SIDES} for fold in splits]
    share = len(splits[0]["val"]) / (len(splits[0]["val"]) + len(splits[0]["train"]))
    groups = groups or {}
    together: dict[str, list[str]] = {}
    for case in sorted(new):
        together.setdefault(groups.get(case, f"\0{case}"), []).append(case)
    sides = [_sides_of_groups(fold, groups) for fold in splits]
    for group, cases in together.items():
        place = min(range(len(result)), key=lambda number: len(result[number]["val"]))
        if len(result) == 1:
            val, train = result[0]["val"], result[0]["train"]
            place = 0 if (len(val) + 1) / (len(val) + len(train) + 1) <= share else 1
        validates = any(each.get(group) == "val" for each in sides)
        for number, fold in enumerate(result):
            usual = "val" if number == place and not validates else "train"
            fold[sides[number].get(group, usual)] += cases
    return result


def _sides_of_groups(fold: Split, groups: Mapping[str, str]) -> dict[str, str]:
    """Return the side that each group of a fold's cases is on."""
    return {groups[case]: side for side in SIDES for case in fold[side] if case in groups}


def without(splits: list[Split], gone: Collection[str]) -> list[Split]:
    """Return splits that do not name cases that are gone."""
    left = set(gone)
    return [{side: [name for name in fold[side] if name not in left] for side in SIDES}
            for fold in splits]  # fmt: skip
