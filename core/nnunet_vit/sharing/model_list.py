"""The models of a results folder: where each is from, its parts, its folds and what it came to."""

import shlex
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FOLD, FoldFolder
from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.errors import UserError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.model_folder import ModelFolder, open_model
from nnunet_vit.inference.run_list import FIX, RunEntry, run_entries, run_entry
from nnunet_vit.nnunet.plans import KEY
from nnunet_vit.nnunet.plans_file import read_plans
from nnunet_vit.sharing.installed_record import RECORD, InstalledRecord, record_of, was_installed
from nnunet_vit.sharing.whole_folder import replaced_by
from nnunet_vit.tuning import method_name

INSTALLED, TRAINED, OF_NNUNET = "installed", "trained", "nnU-Net"


@dataclass(frozen=True)
class ModelRow:
    """A model.

    Attributes:
        dataset: its name.
        path: of the model folder.
        origin: installed, trained here, or of nnU-Net's own trainers.
        source: what it was installed from; '' where it was not.
        head: its name; '' where it is not known.
        backbone: likewise.
        tuning: likewise.
        folds: with a finished model.
        dice: mean over the validated cases and classes; None: nothing is validated, or the folds
            were trained on different splits.
        size: bytes.
        problems: what is damaged; empty: nothing.
        doubt: what the Dice is not, or why there is none, where the splits have changed; else ''.
    """

    dataset: str
    path: Path
    origin: str
    source: str
    head: str
    backbone: str
    tuning: str
    folds: tuple[str, ...]
    dice: float | None
    size: int
    problems: tuple[str, ...]
    doubt: str = ""

    def as_json(self) -> JsonObject:
        """Return it for programs."""
        return {**vars(self), "path": str(self.path.absolute())}


def model_rows(dataset: Path) -> list[ModelRow]:
    """Return the models of a dataset's results folder; what is damaged is named, not fatal."""
    broken = [_without_plans(folder) for folder in sorted(dataset.iterdir()) if _is_broken(folder)]
    aside = [run_entry(folder) for folder in sorted(dataset.iterdir()) if _is_left_aside(folder)]
    return [*(_row(entry) for entry in (*run_entries(dataset), *aside)), *broken]


def _row(entry: RunEntry) -> ModelRow:
    path, record = entry.path, record_of(entry.path)
    problems = [problem for problem in entry.problems if not problem.startswith(FIX)]
    model, problem, stock = _opened(path)
    if problem and not problems:
        problems = [problem]
    run = None if model is None else model.run
    return ModelRow(
        dataset=path.parent.name,
        path=path,
        origin=INSTALLED if was_installed(path) else OF_NNUNET if stock else TRAINED,
        source="" if record is None else record.source,
        head=run.model.head_name or str(run.model.model_path) if run else "",
        backbone="-".join(filter(None, (run.model.backbone, run.model.size_name))) if run else "",
        tuning=method_name(run) if run else "",
        folds=tuple(_finished(path, run.train.num_epochs if run else None)),
        dice=_dice(entry, record),
        size=entry.size,
        problems=(*problems, *_damages(path, record)),
        doubt=entry.doubt.text,
    )


def _opened(path: Path) -> tuple[ModelFolder | None, str, bool]:
    """Return a model of ours, why it cannot be read, and whether it is one of nnU-Net's own."""
    try:
        stock = KEY not in read_plans(path / MODEL_FILES[0])
        return (None, "", True) if stock else (open_model(path), "", False)
    except UserError as error:
        return None, error.problem, False


def _finished(path: Path, epochs: int | None) -> Iterator[str]:
    for fold in sorted(path.glob("fold_*")):
        folder = FoldFolder(fold)
        done = folder.whole.is_file() if epochs is None else folder.is_trained(epochs)
        if FOLD.fullmatch(fold.name) and done:
            yield fold.name.removeprefix("fold_")


def _dice(entry: RunEntry, record: InstalledRecord | None) -> float | None:
    if entry.dice is None and record is not None and record.bundle.validation is not None:
        return float(record.bundle.validation["mean_dice"])
    return entry.dice


def _damages(path: Path, record: InstalledRecord | None) -> Iterator[str]:
    """Yield what is damaged, as far as it can be seen without reading all of a model."""
    if record is None and was_installed(path):
        yield f"{RECORD} is damaged"
    if (target := replaced_by(path)) is not None:
        yield (
            "`vit_cli install --overwrite` was killed while it replaced this model; install again "
            f"puts it back, or: mv {shlex.quote(str(path))} {shlex.quote(str(target))}"
        )
    for fold in sorted(path.glob("fold_*")):
        whole = FoldFolder(fold).whole
        if whole.is_file() and not zipfile.is_zipfile(whole):
            yield f"{fold.name}/{whole.name} is damaged"
    for name, facts in {} if record is None else record.written.items():
        file = path / name
        if not file.is_file():
            yield f"{name} is missing"
        elif file.stat().st_size != facts.bytes:
            yield f"{name} has changed since it was installed"


def _is_left_aside(folder: Path) -> bool:
    """Tell whether a folder made room for a model that never came; else install removes it."""
    target = replaced_by(folder)
    return target is not None and not target.exists() and (folder / MODEL_FILES[0]).is_file()


def _is_broken(folder: Path) -> bool:
    """Tell whether a folder looks like a model and lacks its plans."""
    if folder.name.startswith(".") or (folder / MODEL_FILES[0]).is_file():
        return False
    return any(FOLD.fullmatch(fold.name) for fold in folder.glob("fold_*"))


def _without_plans(folder: Path) -> ModelRow:
    record = record_of(folder)
    return ModelRow(
        dataset=folder.parent.name,
        path=folder,
        origin=INSTALLED if was_installed(folder) else TRAINED,
        source="" if record is None else record.source,
        head="",
        backbone="",
        tuning="",
        folds=tuple(_finished(folder, None)),
        dice=None,
        size=0,
        problems=(f"{MODEL_FILES[0]} is missing",),
    )


def rows_json(rows: Sequence[ModelRow]) -> list[JsonObject]:
    """Return models for programs."""
    return [row.as_json() for row in rows]
