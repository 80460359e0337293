"""nnU-Net's summary.json of validations: its entries, and which of several files are damaged."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from nnunet_vit.errors import DataError, ModelError
from nnunet_vit.files.json_file import JsonObject, read_json

BETWEEN = "__"  # in nnU-Net's TRAINER__PLANS__CONFIGURATION
FOLD = "fold_"  # before the number, in the name of its folder
PER_CASE = "metric_per_case"


def summary_entries(file: Path) -> list[JsonObject]:
    """Return nnU-Net's entries of masks, each with at least `prediction_file`.

    Raises:
        DataError: the file is not there, cannot be read, or is damaged.
    """
    try:
        content = read_json(file)
    except DataError as error:
        if isinstance(error.__cause__, OSError):
            raise
        reason = error.problem.removeprefix(str(file)).strip()
        reason = reason[2:] if reason.startswith(": ") else f"it {reason}"
        raise DataError(f"{file} is damaged: {reason}") from error
    entries = content.get(PER_CASE) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        raise DataError(f"{file} is damaged: {PER_CASE} is missing or of another type.")
    return entries


def damage_of(files: Iterable[Path]) -> ModelError | None:
    """Return what is wrong with summaries of one model that are there; None: nothing.

    Args:
        files: of validations, or of other folders of masks; those that are missing count as sound.
    """
    problems = {}
    for file in files:
        try:
            if file.is_file():
                summary_entries(file)
        except DataError as error:
            problems[file] = error.problem
    if not problems:
        return None
    folds = [file.parent.parent for file in problems if file.parent.parent.name.startswith(FOLD)]
    if not folds:
        folder = shlex.quote(str(next(iter(problems)).parent))
        fix = f"vit_cli evaluate -p {folder} -r REFERENCES writes it again."
    else:
        numbers = [fold.name.removeprefix(FOLD) for fold in folds]
        command = command_for(folds[0].parent, numbers, ours="--continue", nnunets="--val")
        fix = f"validate again: {command}"
    return ModelError(" ".join(problems.values()), fix)


def command_for(path: Path, folds: Sequence[int | str], *, ours: str, nnunets: str) -> str:
    """Return the command that trains or validates folds of a run.

    Args:
        path: of the model folder.
        folds: that it is for.
        ours: options, where the run is ours.
        nnunets: options of nnU-Net's own command, which takes one fold: a loop of the shell; ''
            for a training from scratch.
    """
    numbers = " ".join(map(str, folds))
    files = sorted(path.glob(f"{FOLD}*/run.yaml"))
    if files:
        return f"vit_cli train --config {shlex.quote(str(files[0]))} --folds {numbers} {ours}"
    words = path.absolute().name.split(BETWEEN)
    if len(words) != 3:
        return f"vit_cli train … {ours}, or nnUNetv2_train … {nnunets}".rstrip()
    trainer, plans, configuration = words
    dataset = path.absolute().parent.name.removeprefix("Dataset").partition("_")[0]
    fold = numbers if len(folds) == 1 else "$FOLD"
    told = f"{dataset} {configuration} {fold} -tr {trainer} -p {plans} {nnunets}".rstrip()
    command = f"nnUNetv2_train {told}"
    return command if len(folds) == 1 else f"for FOLD in {numbers}; do {command}; done"


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("prediction_file"), str)
