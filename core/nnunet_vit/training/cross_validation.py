"""Several folds of one run, one after another, and their validations together."""

import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.preprocessing.truth import TRUTH
from nnunet_vit.data.splits import NAME, validation_cases
from nnunet_vit.errors import ConfigError, Stopped
from nnunet_vit.evaluation.evaluate import Scores
from nnunet_vit.evaluation.merged_folds import merge_validations
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with
from nnunet_vit.report.text_width import WIDTH
from nnunet_vit.training.finished_folds import check_finished_folds
from nnunet_vit.training.fold_folders import claimed, empty_folds
from nnunet_vit.training.fold_preparation import Request, prepare_fold
from nnunet_vit.training.preflight import NOTHING_TO_CONTINUE
from nnunet_vit.training.run import opened, train_fold
from nnunet_vit.training.run_identity import identity_of
from nnunet_vit.training.settling import settled
from nnunet_vit.training.side_by_side import Commands


@dataclass(frozen=True)
class CrossValidation:
    """What the folds of a run leave behind.

    Attributes:
        folder: nnU-Net's model folder.
        folds: that are trained.
        scores: of all validation cases, each predicted by the model that did not see it.
    """

    folder: Path
    folds: tuple[int, ...]
    scores: Scores

    def as_text(self, columns: int = WIDTH) -> str:
        """Return the figures as lines for people, with a table of at most so many columns."""
        return f"Folds {' '.join(map(str, self.folds))} together: {self.scores.as_text(columns)}"


def cross_validate(
    run: ViTnnUNetConfig, request: Request, progress: Progress, *, side_by_side: Sequence[str] = ()
) -> CrossValidation:
    """Train and validate each fold of the run; merge the validations.

    Args:
        run: resolved, of several folds.
        request: how they are to be trained: `resume` leaves finished folds as they are and resumes
            those that were begun, `overwrite` deletes the results of all these folds.
        progress: where to show what happens.
        side_by_side: a device for each fold that is trained at the same time; empty: one fold
            after another, on the device of the request.

    Raises:
        ConfigError: folds have results and nobody said what to do with them, or none has.
        UserError: as of `train`.
    """
    with opened(run, progress) as given:
        known, request = settled(given, request, progress, devices=side_by_side)
        dataset = find_dataset(known.data.dataset)
        folder = identity_of(dataset, known, lengthens=request.resume).folder
        folds = tuple(int(fold) for fold in known.data.folds)
        _check_results(folder, folds, request)
        left = [
            fold
            for fold in folds
            if not (request.resume and _is_done(folder, fold, known, request, dataset=dataset))
        ]
        done = [fold for fold in folds if fold not in left]
        job = _Job(known, folder, replace(request, lengthens=request.resume), progress)
        job.check_finished(done, later=left)
        for fold in done:
            progress.log(f"Fold {fold} is trained and validated already.")
        if side_by_side and left:
            job.train_together(left, side_by_side)
        else:
            job.train_in_turn(left)
        return CrossValidation(folder, folds, _merge(folder, folds, dataset, progress=progress))


@dataclass(frozen=True)
class _Job:
    """Folds to train, with what the command line says of them."""

    run: ViTnnUNetConfig
    folder: Path  # of the model
    request: Request
    progress: Progress

    def check_finished(self, folds: Sequence[int], later: Sequence[int]) -> None:
        """Refuse folds that were trained on other data than are there now."""
        if folds:
            first, *others = folds
            request = replace(self.request, later=[*others, *later])
            ready = prepare_fold(self.of_fold(first), request, self.progress)
            check_finished_folds(ready, self.run, folds)

    def train_in_turn(self, folds: Sequence[int]) -> None:
        for number, fold in enumerate(folds):
            self.progress.begin_part(f"fold {fold}", number, len(folds))
            later = folds[number + 1 :]
            request = replace(self.request, resume=self.begun(fold), later=later)
            if number:  # done with the first one
                asked = replace(request.asked, update=False, again=False)
                request = replace(request, overwrite=False, asked=asked, tried=None, read=None)
            try:
                model = train_fold(self.of_fold(fold), request, self.progress)
                self.progress.log(model.as_text())
            except Stopped as stopped:
                raise self.stopped(stopped, fold, overwrite=request.overwrite) from stopped
            finally:
                _free_memory()
        self.progress.begin_part("", 0, 1)

    def train_together(self, folds: Sequence[int], devices: Sequence[str]) -> None:
        first, *later = folds
        request = replace(self.request, device=devices[0], resume=self.begun(first), later=later)
        prepare_fold(self.of_fold(first), request, self.progress)
        if self.request.overwrite:
            with claimed(self.folder, folds):
                empty_folds(self.folder, folds)
        runs = {fold: self.of_fold(fold) for fold in folds}
        begun = [fold for fold in folds if self.begun(fold)]
        commands = Commands(
            runs, devices, begun, self.progress, probabilities=self.request.probabilities
        )
        epochs = self.run.train.num_epochs
        with stops_with(lambda: _saved(self.folder, folds, epochs)):
            commands.run(epochs * len(folds))

    def of_fold(self, fold: int) -> ViTnnUNetConfig:
        data = self.run.data.model_copy(update={"fold": fold})
        return self.run.model_copy(update={"data": data})

    def begun(self, fold: int) -> bool:
        return self.request.resume and FoldFolder(self.folder / f"fold_{fold}").holds_result()

    def stopped(self, stopped: Stopped, fold: int, *, overwrite: bool) -> Stopped:
        """Say of which fold a stop speaks; with --continue all that is saved is kept."""
        begun = any(FoldFolder(path).holds_result() for path in self.folder.glob("fold_*"))
        if stopped.resumes or not begun or overwrite:
            return Stopped(f"Fold {fold}: {stopped.saved}", resumes=stopped.resumes)
        return Stopped(f"Fold {fold}: no epoch is saved yet; other folds are.", resumes=True)


def _saved(folder: Path, folds: Sequence[int], epochs: int) -> Stopped:
    """Say what is saved of folds that were trained side by side."""
    saved = {fold: FoldFolder(folder / f"fold_{fold}").saved_epoch() for fold in folds}
    told = [f"fold {fold}: {epoch or 'none'}" for fold, epoch in saved.items()]
    return Stopped(f"Epochs of {epochs} that are saved: {', '.join(told)}.", any(saved.values()))


def _free_memory() -> None:
    """Let the next fold have the memory of the one before, a GPU's too."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _is_done(
    folder: Path, fold: int, run: ViTnnUNetConfig, request: Request, *, dataset: Dataset
) -> bool:
    """Tell whether a fold is trained, and validated on what is its validation cases today."""
    fold_folder = FoldFolder(folder / f"fold_{fold}")
    if not fold_folder.ends_with_full_model(run.train.num_epochs):
        return False
    cases = validation_cases(dataset.preprocessed / NAME, [fold])[fold]
    lacks = request.probabilities and not fold_folder.has_probabilities(cases)
    return not lacks and fold_folder.is_validated(cases, str(dataset.description["file_ending"]))


def _check_results(folder: Path, folds: Sequence[int], request: Request) -> None:
    found = {fold: FoldFolder(folder / f"fold_{fold}").content() for fold in folds}
    there = [f"fold {fold} ({content})" for fold, content in found.items() if content]
    if request.resume and not there:
        raise ConfigError(
            f"--continue: there is no checkpoint of this run's folds in {folder}.",
            fix=NOTHING_TO_CONTINUE,
        )
    if there and not request.resume and not request.overwrite:
        raise ConfigError(
            f"{folder} already holds results of this run: {', '.join(there)}.",
            fix="--continue to keep finished folds and resume the others, --overwrite to start all "
            "of them from scratch, or change the run file.",
        )


def _merge(folder: Path, folds: Sequence[int], dataset: Dataset, *, progress: Progress) -> Scores:
    cases = validation_cases(dataset.preprocessed / NAME, folds)
    return merge_validations(folder, cases, dataset.preprocessed / TRUTH, progress)
