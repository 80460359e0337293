"""The model folders of datasets: folds, Dice, size, date, and what their run files differ in."""

import contextlib
import json
import math
import os
import stat
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FOLD, SUMMARY, VALIDATION
from nnunet_vit.checkpoints.validation_summary import damage_of, summary_entries
from nnunet_vit.config.dump import flattened
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.model_files import model_folders
from nnunet_vit.errors import UserError
from nnunet_vit.evaluation.comparing.run_results import OURS
from nnunet_vit.evaluation.fold_splits import SplitDoubt, split_doubt
from nnunet_vit.evaluation.measurement import known_mean
from nnunet_vit.inference.model_folder import open_model
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.text_width import WIDTH

FIX = "Fix: "
SECTIONS = {"model", "lora", "train"}
Settings = dict[str, str]  # of a run: its keys that are not the defaults


@dataclass(frozen=True)
class RunEntry:
    """A model folder.

    Attributes:
        path: of the folder.
        validated: folds that are validated.
        begun: folds that are not.
        dice: mean over the validated cases and foreground classes; None: nothing is validated, or
            the folds were trained on different splits.
        cases: that are validated.
        size: bytes on the disk.
        changed: the day of the newest result.
        settings: of a run of ours.
        problems: why the folder's run cannot be read, and which summaries are damaged.
        doubt: about the cases that the folds are validated on.
    """

    path: Path
    validated: tuple[str, ...]
    begun: tuple[str, ...]
    dice: float | None
    cases: int
    size: int
    changed: date
    settings: Settings = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    doubt: SplitDoubt = field(default_factory=SplitDoubt)

    @property
    def name(self) -> str:
        """What people call it: the folder, without the trainer that all of ours have."""
        return self.path.name.removeprefix(OURS)


def run_entries(dataset: Path) -> list[RunEntry]:
    """Return the model folders of a dataset's results, the newest last."""
    return sorted(map(run_entry, model_folders(dataset)), key=lambda entry: entry.changed)


def runs_text(dataset: str, entries: Sequence[RunEntry]) -> str:
    """Return a dataset's runs as lines; below each what it alone, or not all, have set."""
    lines = [f"{dataset}:"]
    differing = _differing([entry.settings for entry in entries if entry.settings])
    for entry in entries:
        lines += [f"  {entry.name}", *indented(_facts(entry))]
        told = [f"{key} {entry.settings.get(key, 'default')}" for key in differing]
        if entry.doubt.problem:
            lines += indented(entry.doubt.text)
        for problem in entry.problems:  # a command to copy stays one line
            lines += [f"    {problem}"] if problem.startswith(FIX) else indented(problem)
        if told and entry.settings:
            lines += indented(", ".join(told))
    return "\n".join(lines if entries else [*lines, "  no model"])


def indented(text: str) -> list[str]:
    """Return a text about a model in lines of at most WIDTH letters, paths and values unbroken."""
    indent = " " * 4
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _facts(entry: RunEntry) -> str:
    folds = f"folds {' '.join(entry.validated)}" if entry.validated else "no fold validated"
    begun = f" (begun: {' '.join(entry.begun)})" if entry.begun else ""
    dice = "" if entry.dice is None else f"Dice {entry.dice:.3f} on {entry.cases} cases, "
    return f"{folds}{begun}, {dice}{bytes_text(entry.size)}, {entry.changed}"


def run_entry(path: Path) -> RunEntry:
    """Return what is in a model folder."""
    folds = sorted(fold for fold in path.glob("fold_*") if FOLD.fullmatch(fold.name))
    found = {fold.name.removeprefix("fold_"): dice_of_cases(fold) for fold in folds}
    # fold all is validated on what it has trained on
    numbered = [case for fold, cases in found.items() if fold != "all" for case in cases]
    files = list(_files(path))
    newest = max((file.st_mtime for file in files), default=path.stat().st_mtime)
    doubt = split_doubt(path)
    settings, problem = _settings(path)
    problems = [problem] if problem else []
    if (damage := damage_of(fold / VALIDATION / SUMMARY for fold in folds)) is not None:
        problems += [damage.problem.replace(f"{path}{os.sep}", ""), f"{FIX}{damage.fix}"]
    return RunEntry(
        path,
        tuple(fold for fold, per_case in found.items() if per_case),
        tuple(fold for fold, per_case in found.items() if not per_case),
        mean_of_classes(numbered) if doubt.joins else None,
        len(numbered),
        sum(file.st_size for file in files),
        date.fromtimestamp(newest),
        settings,
        tuple(problems),
        doubt,
    )


def _files(folder: Path) -> Iterator[os.stat_result]:
    """Yield size and time of the files; a training may remove some meanwhile."""
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            facts = file.stat()
            if stat.S_ISREG(facts.st_mode):
                yield facts


def dice_of_cases(fold: Path) -> list[dict[str, float]]:
    """Return the Dice of each class in each validation case, by nnU-Net's summary."""
    with contextlib.suppress(UserError, ValueError, LookupError, TypeError, AttributeError):
        entries = summary_entries(fold / VALIDATION / SUMMARY)
        return [
            {name: float(found["Dice"]) for name, found in entry["metrics"].items()}
            for entry in entries
        ]
    return []


def mean_of_classes(cases: Sequence[Mapping[str, float]]) -> float | None:
    """Return what nnU-Net calls the foreground mean: of the classes' means over the cases."""
    classes = dict.fromkeys(name for case in cases for name in case)
    values = [[case.get(name, math.nan) for case in cases] for name in classes]
    mean = known_mean(map(known_mean, values))
    return None if math.isnan(mean) else mean


def _settings(path: Path) -> tuple[Settings, str]:
    if not path.name.startswith(OURS):
        return {}, ""
    try:
        run: ViTnnUNetConfig = open_model(path).run
    except UserError as error:
        return {}, error.problem
    content = run.model_dump(mode="json", include=SECTIONS, exclude_defaults=True)
    return {key: json.dumps(value).strip('"') for key, value in flattened(content)}, ""


def _differing(settings: Sequence[Settings]) -> list[str]:
    keys = dict.fromkeys(key for each in settings for key in each)
    return [key for key in keys if len({each.get(key) for each in settings}) > 1]
