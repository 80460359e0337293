"""Whether folds were validated on the cases of one splits_final.json: else no figure joins them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FOLD, FoldFolder
from nnunet_vit.data.model_files import MODEL_FILES, read_part
from nnunet_vit.data.preprocessing.split_update import KEPT
from nnunet_vit.data.splits import NAME, validation_cases
from nnunet_vit.errors import UserError, shortened
from nnunet_vit.evaluation.comparing.run_results import references_of

OTHER_CASES = f"validated on other cases than {NAME} gives it"


@dataclass(frozen=True)
class SplitDoubt:
    """Why the folds of a run are not those of one cross-validation of today.

    Attributes:
        problem: one sentence; '' where nothing is wrong.
        joins: whether a figure of the folds together means something all the same.
    """

    problem: str = ""
    joins: bool = True

    @property
    def text(self) -> str:
        """What it means for the Dice, as a line for people."""
        means = (
            "not comparable with runs of today's splits"
            if self.joins
            else "no Dice over different splits"
        )
        return f"{means}: {self.problem}" if self.problem else ""


def split_doubt(model: Path, folds: Sequence[str] | None = None) -> SplitDoubt:
    """Return what is wrong with the cases that the folds of a model are validated on.

    The splits lie beside the masks that the validations were measured with, those before an update
    too; where they are not there, the folds are compared with each other alone.

    Args:
        model: a model folder, ours or nnU-Net's.
        folds: which; None: all. Fold all and those without a validation count for nothing.
    """
    masks = _measured(model, folds)
    if twice := predicted_twice(masks.values()):
        return SplitDoubt(f"several folds have predicted {shortened(twice)}.", joins=False)
    today, *before = _on_other_cases_by_file(model, masks) or [[]]
    if not today:
        return SplitDoubt()
    return SplitDoubt(
        f"fold {shortened(map(str, today), len(today))}: {OTHER_CASES} today.",
        joins=len(today) == len(masks) or [] in before,
    )


def predicted_twice(masks: Collection[Collection[str]]) -> list[str]:
    """Return the cases, or masks, that are in the validations of several folds."""
    counts = Counter(name for own in masks for name in set(own))
    return sorted(name for name, count in counts.items() if count > 1)


def on_other_cases(
    masks: Mapping[int, Collection[str]], cases: Mapping[int, Collection[str]], ending: str
) -> list[int]:
    """Return the folds whose validation measured other cases than the splits give.

    Args:
        masks: names of the files that each fold's validation measured.
        cases: of each fold, by the splits.
        ending: of the files.
    """
    return [
        fold for fold, own in masks.items() if set(own) != {f"{c}{ending}" for c in cases[fold]}
    ]


def _on_other_cases_by_file(model: Path, masks: Mapping[int, set[str]]) -> list[list[int]]:
    """Return the folds that are not of today's splits, and of those before; nothing: none known."""
    try:
        truth = references_of(model)
        ending = str(read_part(model / MODEL_FILES[1], {"file_ending": str})["file_ending"])
    except UserError:
        return []
    if truth is None or not (today := truth.parent / NAME).is_file():
        return []
    files = [today, *today.parent.glob(KEPT.format("*"))]
    return [_on_others_than(file, masks, ending) for file in files]


def _on_others_than(file: Path, masks: Mapping[int, set[str]], ending: str) -> list[int]:
    """Return the folds that are not of a file's splits: all where it has not all of them."""
    try:
        return on_other_cases(masks, validation_cases(file, masks), ending)
    except UserError:
        return list(masks)


def _measured(model: Path, folds: Sequence[str] | None) -> dict[int, set[str]]:
    found = {}
    for place in sorted(model.glob("fold_*")):
        name = place.name.removeprefix("fold_")
        chosen = FOLD.fullmatch(place.name) and (folds is None or name in folds)
        if chosen and name != "all" and (masks := FoldFolder(place).measured_masks()) is not None:
            found[int(name)] = masks
    return found
