"""Several folds of one run, one after another, and their validations together."""

import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.preprocessing.refusals import NOTHING, Asked
from nnunet_vit.errors import ConfigError, Stopped
from nnunet_vit.evaluation.evaluate import Scores
from nnunet_vit.evaluation.merged_folds import merge_validations
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.run import model_folder, opened, run_name, train_fold

REFERENCES = "gt_segmentations"  # nnU-Net's copy of the labels, beside the preprocessed data


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

    def as_text(self) -> str:
        """Return the figures as lines for people."""
        return f"Folds {' '.join(map(str, self.folds))} together: {self.scores.as_text()}"


def cross_validate(
    run: ViTnnUNetConfig,
    device: str | None,
    resume: bool,
    overwrite: bool,
    progress: Progress,
    asked: Asked = NOTHING,
) -> CrossValidation:
    """Train and validate each fold of the run; merge the validations.

    Args:
        run: resolved, of several folds.
        device: as of `train`.
        resume: leave finished folds as they are, resume the one that was begun.
        overwrite: delete the results of all these folds and start from scratch.
        progress: where to show what happens.
        asked: what may change of preprocessed data that are there.

    Raises:
        ConfigError: folds have results and nobody said what to do with them, or none has.
        UserError: as of `train`.
    """
    with opened(run, progress) as known:
        dataset = find_dataset(known.data.dataset)
        folder = model_folder(dataset, known, run_name(dataset, known))
        folds = tuple(int(fold) for fold in known.data.folds)
        _check_results(folder, folds, resume=resume, overwrite=overwrite)
        for number, fold in enumerate(folds):
            progress.begin_part(f"fold {fold}", number, len(folds))
            if resume and _is_done(folder, fold, known):
                progress.log(f"Fold {fold} is trained and validated already.")
                continue
            _train_one(known, fold, device, resume=resume, overwrite=overwrite and not number,
                       progress=progress, asked=asked, later=folds[number + 1 :])  # fmt: skip
            asked = replace(asked, update=False, again=False)  # done with the first one
        progress.begin_part("", 0, 1)
        return CrossValidation(folder, folds, _merge(folder, folds, dataset, progress=progress))


def _train_one(
    run: ViTnnUNetConfig,
    fold: int,
    device: str | None,
    *,
    resume: bool,
    overwrite: bool,
    progress: Progress,
    asked: Asked,
    later: Sequence[int],
) -> None:
    one = run.model_copy(update={"data": run.data.model_copy(update={"fold": fold})})
    dataset = find_dataset(one.data.dataset)
    fold_folder = model_folder(dataset, one, run_name(dataset, one)) / f"fold_{fold}"
    resumes = resume and FoldFolder(fold_folder).holds_result()
    try:
        model = train_fold(one, device, resumes, overwrite=overwrite, progress=progress,
                           asked=asked, later=later)  # fmt: skip
        progress.log(model.as_text())
    except Stopped as stopped:
        raise _of_fold(stopped, fold, fold_folder.parent, overwrite=overwrite) from stopped
    finally:
        _free_memory()


def _of_fold(stopped: Stopped, fold: int, folder: Path, *, overwrite: bool) -> Stopped:
    """Say of which fold a stop speaks; with --continue all that is saved is kept."""
    begun = any(FoldFolder(path).holds_result() for path in folder.glob("fold_*"))
    resumes = stopped.resumes or (begun and not overwrite)
    saved = stopped.saved
    if resumes and not stopped.resumes:
        saved = "No epoch of it is saved yet; other folds are."
    return Stopped(f"Fold {fold}: {saved}", resumes=resumes)


def _free_memory() -> None:
    """Let the next fold have the memory of the one before, a GPU's too."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _is_done(folder: Path, fold: int, run: ViTnnUNetConfig) -> bool:
    fold_folder = FoldFolder(folder / f"fold_{fold}")
    return fold_folder.ends_with_full_model(run.train.num_epochs) and fold_folder.is_validated()


def _check_results(folder: Path, folds: Sequence[int], *, resume: bool, overwrite: bool) -> None:
    found = {fold: FoldFolder(folder / f"fold_{fold}").content() for fold in folds}
    there = [f"fold {fold} ({content})" for fold, content in found.items() if content]
    if resume and not there:
        raise ConfigError(
            f"--continue: there is no checkpoint of this run's folds in {folder}.",
            fix="leave out --continue, or give the run file that the earlier run had (another "
            "model, lora or train section is another run).",
        )
    if there and not resume and not overwrite:
        raise ConfigError(
            f"{folder} already holds results of this run: {', '.join(there)}.",
            fix="--continue to keep finished folds and resume the others, --overwrite to start all "
            "of them from scratch, or change the run file.",
        )


def _merge(folder: Path, folds: Sequence[int], dataset: Dataset, *, progress: Progress) -> Scores:
    return merge_validations(folder, folds, dataset.preprocessed / REFERENCES, progress)
