"""Classes that no training case of a fold has: the fold cannot learn them."""

from collections.abc import Iterator

from nnunet_vit.data.checking.examining import Examined
from nnunet_vit.data.faults import Fault
from nnunet_vit.data.labels import labels_of
from nnunet_vit.data.splits import NAME, USUAL_FOLDS, Split, read_splits, usual_splits
from nnunet_vit.errors import DataError
from nnunet_vit.nnunet.folders import VARIABLES


def lacking_in_folds(examined: Examined) -> Iterator[Fault]:
    """Yield a line per class that a fold does not train on, by the splits file or the usual folds.

    A splits file that is wrong is refused where folds are chosen.
    """
    present = {n: set(case.label.present) for n, case in examined.seen.items() if case.label}
    classes = labels_of(examined.dataset.description).classes
    having = {
        name: [case for case, values in present.items() if values & set(numbers)]
        for name, numbers in classes.items()
    }
    most = -(-len(examined.cases) // USUAL_FOLDS)  # cases that a usual fold validates with
    rare = {name: cases for name, cases in having.items() if cases}
    if not _has_file(examined):
        rare = {name: cases for name, cases in rare.items() if len(cases) <= most}
    for number, fold in enumerate(_splits(examined) if rare else ()):
        lacking = [name for name, cases in rare.items() if not set(cases) & set(fold["train"])]
        if lacking:
            yield Fault(
                f"Fold {number} trains on no case with {', '.join(lacking)}.",
                f"cannot be learned there: other folds in {NAME}, or more cases.",
            )


def _has_file(examined: Examined) -> bool:
    import os

    known = VARIABLES["preprocessed"] in os.environ
    return known and (examined.dataset.preprocessed / NAME).exists()


def _splits(examined: Examined) -> list[Split]:
    if _has_file(examined):
        try:
            return read_splits(examined.dataset.preprocessed / NAME, examined.cases)
        except DataError:
            return []
    return usual_splits(examined.cases) if len(examined.cases) >= USUAL_FOLDS else []
