"""Predicted masks and their references: which belong together, and whether both are masks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.fold_folder import VALIDATION
from nnunet_vit.checkpoints.merged_validations import folds_merged_in
from nnunet_vit.data.case_files import files_of
from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.labels import Labels, labels_of
from nnunet_vit.data.model_files import MODEL_FILES, read_part
from nnunet_vit.data.naming import counted_endings, ending_of
from nnunet_vit.errors import DataError, ModelError, counted, message_of
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.report.progress import Progress

if TYPE_CHECKING:
    from nnunetv2.utilities.label_handling.label_handling import LabelManager

SHOWN = 5  # of a list of missing masks
DESCRIPTION = {"labels": dict, "file_ending": str}


@dataclass(frozen=True)
class Pair:
    """A predicted mask and the mask that it is compared with."""

    prediction: Path
    reference: Path


@dataclass(frozen=True)
class Task:
    """What the masks should show.

    Attributes:
        description: dataset.json.
        plans: plans.json.
        source: the folder of both.
    """

    description: JsonObject
    plans: JsonObject
    source: Path

    @property
    def ending(self) -> str:
        """The ending of all masks."""
        return str(self.description["file_ending"])

    @cached_property
    def labels(self) -> Labels:
        """The numbers that masks may hold."""
        return labels_of(self.description)

    def label_manager(self) -> "LabelManager":
        """Return nnU-Net's view of the labels."""
        from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

        try:
            return PlansManager(self.plans).get_label_manager(self.description)
        except Exception as error:  # whatever nnU-Net raises on labels that it does not know
            raise DataError(
                f"{self.source / 'dataset.json'}: labels {self.description['labels']!r} cannot be "
                f"used: {message_of(error)}."
            ) from error


def task_of(predictions: Path, references: Path, model: Path | None) -> Task:
    """Return dataset.json and plans.json of a model, else those beside or above the predictions.

    Raises:
        DataError: a folder or a file is missing.
        ModelError: a file is damaged, or the model folder is none.
    """
    for option, folder in (("-p", predictions), ("-r", references)):
        if not folder.is_dir():
            raise DataError(f"{option} {folder} is {'a file' if folder.exists() else 'missing'}.")
    if predictions.resolve() == references.resolve():
        raise DataError(
            f"-p and -r are the same folder, {predictions}: every Dice would be 1.",
            fix="-p, the folder of predicted masks; -r, the folder of true ones.",
        )
    source = _source(predictions, model)
    description = read_part(source / "dataset.json", DESCRIPTION)
    try:
        labels_of(description)
    except (TypeError, ValueError) as error:
        raise DataError(f"{source / 'dataset.json'}: labels: {error}.") from error
    return Task(description, read_part(source / "plans.json", {"configurations": dict}), source)


def _source(predictions: Path, model: Path | None) -> Path:
    if model is not None:
        missing = [name for name in MODEL_FILES if not (model / name).is_file()]
        if missing:
            raise ModelError(
                f"--model {model} is no model folder: {', '.join(missing)} missing.",
                fix="give the folder that `vit_cli train` prints last.",
            )
        return model
    absolute = predictions.absolute()  # a fold's validation lies two levels below the model
    places = [predictions, absolute.parent, absolute.parent.parent]
    found = [p for p in places if all((p / name).is_file() for name in MODEL_FILES)]
    if found:
        return found[0]
    missing = [name for name in MODEL_FILES if not (predictions / name).is_file()]
    raise DataError(
        f"{predictions / missing[0]} is missing.",
        fix="--model FOLDER, the model that predicted the masks. (`vit_cli predict` writes "
        "dataset.json and plans.json beside its masks.)",
    )


def find_pairs(
    predictions: Path, references: Path, task: Task, *, progress: Progress
) -> list[Pair]:
    """Return the masks of equal names.

    A fold's validation has masks of its own cases alone; elsewhere every mask needs its partner.

    Raises:
        DataError: there are none, or masks without a partner; says which.
    """
    ending = task.ending
    there = {file.name for file in files_of(predictions, ending)}
    wanted = {file.name for file in files_of(references, ending)}
    if is_validation(predictions) and there and there < wanted:
        others = len(wanted - there)
        progress.log(
            f"{predictions}: validation of {counted(len(there), 'case')}; "
            f"{counted(others, 'true mask')} of other cases left out."
        )
        wanted = there
    faults = [
        fault
        for folder, names in ((references, wanted), (predictions, there))
        for fault in ([] if names else [_none(folder, ending)])
    ]
    if not faults:
        faults = [*_lacking(predictions, there, wanted), *_lacking(references, wanted, there)]
    refuse(f"{predictions} and {references}", faults)
    return [Pair(predictions / name, references / name) for name in sorted(wanted)]


def is_validation(predictions: Path) -> bool:
    """Tell whether a folder is the validation of a fold, or that of several folds together."""
    absolute = predictions.absolute()
    if folds_merged_in(predictions):
        return True
    return absolute.name == VALIDATION and bool(re.fullmatch(r"fold_\w+", absolute.parent.name))


def _none(folder: Path, ending: str) -> Fault:
    others = [file for file in files_of(folder) if file.suffix != ".json"]
    if not others:
        return Fault(f"{folder} holds no mask *{ending}.")
    fix = f"convert the masks to {ending}, without loss; dataset.json says that they end so."
    if any(ending_of(file.name).lower() == ending.lower() for file in others):
        fix = f"rename them to *{ending}; capital letters count."
    return Fault(f"{folder} holds no mask *{ending}; it holds {counted_endings(others)}.", fix)


def _lacking(folder: Path, there: set[str], needed: set[str]) -> list[Fault]:
    absent = sorted(needed - there)
    if not absent:
        return []
    return [
        Fault(
            f"{folder} lacks {len(absent)} of {len(needed)} masks: {', '.join(absent[:SHOWN])}"
            f"{', …' if len(absent) > SHOWN else ''}.",
            _likely_names(folder, absent, there - needed),
        )
    ]


def _likely_names(folder: Path, absent: Sequence[str], others: set[str]) -> str:
    """Return what to do about masks that are not there, or that are there by another name."""
    lower = {name.lower(): name for name in absent}
    capital = [file.name for file in files_of(folder) if file.name.lower() in lower]
    capital = [name for name in capital if name not in absent]
    if capital:
        first = capital[0]
        more = ", and the others likewise" if len(capital) > 1 else ""
        return f"rename {first} to {lower[first.lower()]}{more}; capital letters count."
    numbered = sorted(name for name in others if re.search(r"_\d{4}(\.[^.]+)+$", name))
    if numbered:
        return (
            f"masks have no channel number: is {numbered[0]} an image? Else rename it to "
            f"{re.sub(r'_[0-9]{4}(?=[.])', '', numbered[0])}, and the others likewise."
        )
    return "add them, or move the masks of other cases away."
