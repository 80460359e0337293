"""The runs of a dataset that can be compared by cross-validation, and why others cannot."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import SUMMARY, VALIDATION, FoldFolder
from nnunet_vit.checkpoints.validation_summary import BETWEEN, command_for, damage_of
from nnunet_vit.data.faults import Fault
from nnunet_vit.data.labels import differing
from nnunet_vit.data.model_files import model_folders, read_part
from nnunet_vit.errors import UserError, shortened
from nnunet_vit.evaluation.comparing.run_results import OURS
from nnunet_vit.evaluation.fold_splits import OTHER_CASES, on_other_cases
from nnunet_vit.evaluation.mask_pairs import DESCRIPTION, Task
from nnunet_vit.evaluation.merged_folds import copy_validations
from nnunet_vit.files.json_file import JsonObject


@dataclass(frozen=True)
class Demand:
    """What a run must have.

    Attributes:
        cases: the validation cases of each fold, by the splits of today.
        description: dataset.json of the preprocessed data.
        configuration: of nnU-Net; None: any.
    """

    cases: Mapping[int, Sequence[str]]
    description: JsonObject
    configuration: str | None = None


@dataclass(frozen=True, eq=False)
class Run:
    """A model folder whose folds are all validated on their cases.

    Attributes:
        path: of the folder, ours or nnU-Net's.
        cases: of each fold.
        task: what its masks show.
        folder: of the merged validations.
        masks: in it, by case.
    """

    path: Path
    cases: Mapping[int, Sequence[str]]
    task: Task
    folder: Path
    masks: dict[str, Path]

    @property
    def name(self) -> str:
        """What people call it: the folder, without the trainer that all of ours have."""
        return self.path.name.removeprefix(OURS)

    def folds_without_probabilities(self) -> list[int]:
        """Return the folds whose validation has not kept them."""
        folds = ((FoldFolder(self.path / f"fold_{f}"), f, own) for f, own in self.cases.items())
        return [fold for folder, fold, own in folds if not folder.has_probabilities(own)]

    def validation_masks(self) -> dict[str, Path]:
        """Return where each case's mask lies, and its probabilities beside it."""
        return {
            case: self.path / f"fold_{fold}" / VALIDATION / f"{case}{self.task.ending}"
            for fold, own in self.cases.items()
            for case in own
        }


def find_runs(results: Path, demand: Demand) -> tuple[list[Run], dict[str, Fault]]:
    """Return the runs of a dataset's results, and what keeps others out, by their names.

    The validations of the runs are merged where they are not yet.
    """
    runs, left_out = [], {}
    for path in model_folders(results):
        configuration = path.name.rpartition(BETWEEN)[2]
        if demand.configuration not in (None, configuration):
            continue
        try:
            found = _run(path, demand)
        except UserError as error:
            found = Fault(error.problem, error.fix)
        if isinstance(found, Run):
            runs.append(found)
        else:
            left_out[path.name.removeprefix(OURS)] = found
    return runs, left_out


def _run(path: Path, demand: Demand) -> Run | Fault:
    description = read_part(path / "dataset.json", DESCRIPTION)
    plans = read_part(path / "plans.json", {"configurations": dict})
    for fault in _faults(path, demand, description, plans=plans):
        return fault
    folder, masks = copy_validations(path, demand.cases)
    return Run(path, demand.cases, Task(description, plans, path), folder, masks)


def _faults(
    path: Path, demand: Demand, description: JsonObject, *, plans: JsonObject
) -> Iterator[Fault]:
    words = path.name.split(BETWEEN)
    if len(words) != 3 or words[2] not in plans["configurations"]:
        yield Fault("its folder is not named TRAINER__PLANS__CONFIGURATION, by its plans.json.")
    elif plans["configurations"][words[2]].get("previous_stage"):
        yield Fault("it is the second stage of a cascade, which nnU-Net's own commands predict.")
    keys = ("labels", "regions_class_order", "file_ending")
    others = differing(description, demand.description, keys)
    if others:
        yield Fault(f"its dataset.json has another {', '.join(others)} than the dataset.")
    folds = {fold: FoldFolder(path / f"fold_{fold}") for fold in demand.cases}
    damage = damage_of(folder.path / VALIDATION / SUMMARY for folder in folds.values())
    if damage is not None:
        yield Fault(damage.problem, damage.fix)
    measured = {fold: folder.measured_masks() for fold, folder in folds.items()}
    missing = [fold for fold, masks in measured.items() if masks is None]
    if missing:
        yield _not_done(path, missing, "not validated")
    ending = str(description["file_ending"])
    known = {fold: masks for fold, masks in measured.items() if masks is not None}
    other = on_other_cases(known, demand.cases, ending)
    if other:  # what was trained on other splits is not resumed
        yield _not_done(path, other, OTHER_CASES, ours="--overwrite", nnunets="")
    gone = [f for f, folder in folds.items() if not folder.is_validated(demand.cases[f], ending)]
    if gone:
        yield _not_done(path, gone, f"holds other masks than its {SUMMARY} names")
    unfinished = [fold for fold, folder in folds.items() if not folder.digest()]
    if unfinished:
        yield _not_done(path, unfinished, "without a final model")


def _not_done(
    path: Path, folds: Sequence[int], what: str, *, ours: str = "--continue", nnunets: str = "--c"
) -> Fault:
    remedy = command_for(path, folds, ours=ours, nnunets=nnunets)
    return Fault(f"fold {shortened(map(str, folds), len(folds))}: {what}.", remedy)
