"""One run from the raw dataset to validated models of its folds."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.config.dump import write_run
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.notices import notices
from nnunet_vit.data.channels import normalization_of
from nnunet_vit.data.checks.training_files import check_training_files
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.patch_size import patch_size_of_run
from nnunet_vit.data.preprocessing.decision import Work
from nnunet_vit.data.preprocessing.freshness import decide
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.data.preprocessing.refusals import NOTHING, Asked
from nnunet_vit.data.splits import NAME, check_fold
from nnunet_vit.errors import Stopped
from nnunet_vit.evaluation.merged_folds import MERGED
from nnunet_vit.files.locks import given_back
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.folders import claim, empty, folder, use_folders, use_processors
from nnunet_vit.nnunet.plans import run_plans, write_plans
from nnunet_vit.nnunet.run_names import name_where_found
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with
from nnunet_vit.training.execution import TrainedModel, execute, make_trainer
from nnunet_vit.training.preflight import check_network, starts_from_checkpoint

TRAINER = "nnUNetTrainer_vit"


def train(
    run: ViTnnUNetConfig,
    device: str | None,
    resume: bool,
    overwrite: bool,
    progress: Progress,
    asked: Asked = NOTHING,
) -> TrainedModel:
    """Plan and preprocess where needed, train one fold, validate it.

    Args:
        run: resolved, of one fold.
        device: cpu, cuda, cuda:1 or mps; None: the best that is there.
        resume: continue from the last checkpoint.
        overwrite: delete an existing result and start from scratch.
        progress: where to show what happens.
        asked: what may change of preprocessed data that are there.

    Raises:
        UserError: everything that can be known is checked before anything is written.
    """
    with opened(run, progress) as known:
        return train_fold(
            known, device, resume, overwrite=overwrite, progress=progress, asked=asked
        )


@contextlib.contextmanager
def opened(run: ViTnnUNetConfig, progress: Progress) -> Iterator[ViTnnUNetConfig]:
    """Point nnU-Net at the run's folders; yield the run with what its weights say of the network.

    Raises:
        UserError: the folders are not known, or the weights cannot be read.
    """
    from nnunet_vit.modeling.hub.download_progress import downloads_shown_by
    from nnunet_vit.modeling.vit.hub_network import as_repository_says
    from nnunet_vit.modeling.vit.snapshot_network import as_snapshot_says

    use_folders(run.paths)
    use_processors()
    for notice in notices(run):
        progress.warn(notice)
    with downloads_shown_by(progress), given_back():
        yield as_snapshot_says(as_repository_says(run))


@dataclass(frozen=True)
class ReadyFold:
    """A fold for which everything is checked, planned and preprocessed.

    Attributes:
        dataset: preprocessed.
        name: of the run and of its plans.
        folder: nnU-Net's, of the fold.
        device: cpu, cuda, cuda:1 or mps.
        resumes: whether the training starts from a checkpoint.
    """

    dataset: Dataset
    name: str
    folder: Path
    device: str
    resumes: bool


def train_fold(
    run: ViTnnUNetConfig,
    device: str | None,
    resume: bool,
    *,
    overwrite: bool,
    progress: Progress,
    asked: Asked,
    later: Sequence[int] = (),
) -> TrainedModel:
    """Train the run's fold.

    Args:
        run: as `opened` yields it, of one fold.
        device: as of `train`.
        resume: as of `train`.
        overwrite: as of `train`.
        progress: as of `train`.
        asked: as of `train`.
        later: folds that are trained afterwards: they are checked now, and overwritten with this.
    """
    ready = prepare_fold(
        run, device, resume, overwrite=overwrite, progress=progress, asked=asked, later=later
    )
    with (
        claimed(ready.folder.parent, [*run.data.folds, *(later if overwrite else ())]) as notices,
        stops_with(lambda: _stopped(ready.folder, run.train.num_epochs)),
    ):
        for notice in notices:
            progress.log(notice)
        if overwrite:
            empty_folds(ready.folder.parent, [*run.data.folds, *later])
        trainer = make_trainer(ready.dataset, run, ready.name, device=ready.device,
                               resumes=ready.resumes)  # fmt: skip
        trainer.progress = progress
        write_run(run, ready.folder / "run.yaml")
        return execute(trainer, ready.resumes, progress)


def prepare_fold(
    run: ViTnnUNetConfig,
    device: str | None,
    resume: bool,
    *,
    overwrite: bool,
    progress: Progress,
    asked: Asked,
    later: Sequence[int] = (),
) -> ReadyFold:
    """Check everything, plan and preprocess where needed, write the run's plans.

    Args:
        run: as of `train_fold`, and so are the others.
        device: likewise.
        resume: likewise.
        overwrite: likewise; nothing is deleted here.
        progress: likewise.
        asked: likewise.
        later: likewise; they are checked.
    """
    dataset = find_dataset(run.data.dataset)
    name = run_name(dataset, run)
    fold_folder = model_folder(dataset, run, name) / f"fold_{run.data.fold}"
    resumes = starts_from_checkpoint(fold_folder, resume, overwrite)
    if overwrite:
        others = [fold for fold in later if (fold_folder.parent / f"fold_{fold}").is_dir()]
        with claimed(fold_folder.parent, others):
            pass  # before data are prepared for hours
    chosen = choose_device(device)
    asked = replace(asked, resume=resumes)
    work = _check_data(dataset, run, asked, progress=progress, later=later)
    facts = check_network(dataset, run, not resumes, progress=progress, schemes=work.schemes)
    if work.plan or work.preprocess or work.added:
        check_training_files(dataset, facts.patch_size, progress)
    with stops_with(lambda: _stopped(fold_folder, run.train.num_epochs, overwrite)):
        (fold,) = run.data.folds
        plans = prepare(dataset, run.data.configuration, progress, asked=asked, fold=fold)
    # the plans that have normalized the pixels decide
    schemes = normalization_of(dataset, run.data.configuration)
    facts = check_network(dataset, run, False, progress=progress, schemes=schemes)
    patch_size = patch_size_of_run(run, plans, facts.patch_size, progress=progress)
    own = run_plans(plans, run, patch_size, statistics=facts.statistics, name=name)
    write_plans(own, dataset.preprocessed)
    return ReadyFold(dataset, name, fold_folder, chosen, resumes)


@contextlib.contextmanager
def claimed(folder: Path, folds: Sequence[int | str]) -> Iterator[list[str]]:
    """Hold the folders of all these folds, or of none; yield what is to be said about it.

    Raises:
        MachineError: another process trains in one.
    """
    with contextlib.ExitStack() as held:
        locks = [held.enter_context(claim(folder / f"fold_{fold}")) for fold in folds]
        yield [lock.notice for lock in locks if lock.notice]


def empty_folds(folder: Path, folds: Sequence[int | str]) -> None:
    """Delete what is in claimed folders of folds, and what was made of them together.

    A stop in between leaves no fold that looks finished.
    """
    places = [FoldFolder(folder / f"fold_{fold}") for fold in folds]
    for place in places:
        place.forget()
    for merged in folder.glob(f"{MERGED}_*"):
        if {*map(str, folds)} & set(merged.name.removeprefix(MERGED).split("_")):
            shutil.rmtree(merged)
    for place in places:
        empty(place.path)


def _check_data(
    dataset: Dataset,
    run: ViTnnUNetConfig,
    asked: Asked,
    *,
    progress: Progress,
    later: Sequence[int],
) -> Work:
    """Check plans, preprocessed data and splits; return what has to be done."""
    progress.start_work("Comparing the raw data with the preprocessed data")
    try:
        work = decide(dataset, run.data.configuration, asked)
    finally:
        progress.close()
    known = [*work.cases, *work.removed]  # what has been removed leaves the splits
    ending = dataset.description["file_ending"]
    said = list(work.notices)
    for fold in (*run.data.folds, *later):
        said += check_fold(
            dataset.preprocessed / NAME, fold, known, ending=ending, joining=work.added
        )
    for notice in dict.fromkeys(said):
        progress.log(notice)
    return work


def run_name(dataset: Dataset, run: ViTnnUNetConfig) -> str:
    """Return the run's name, the one that its results have where there are some."""
    pattern = f"{TRAINER}__{{}}__{run.data.configuration}"
    return name_where_found(run, folder("results") / dataset.name, pattern)


def model_folder(dataset: Dataset, run: ViTnnUNetConfig, name: str) -> Path:
    """Return nnU-Net's folder of the run's models."""
    whole = f"{TRAINER}__{name}__{run.data.configuration}"
    return folder("results") / dataset.name / whole


def _stopped(fold_folder: Path, epochs: int, overwrite: bool = False) -> Stopped:
    """Say what a fold's folder holds; what is about to be overwritten is there still."""
    if overwrite:
        return Stopped("Nothing is overwritten yet: the same command starts from scratch.")
    fold = FoldFolder(fold_folder)
    epoch = fold.saved_epoch()
    if fold.is_trained(epochs):
        return Stopped("The training is done and saved, its validation is not.", resumes=True)
    if epoch is None:
        return Stopped(f"No epoch of {epochs} is saved yet: the same command starts from scratch.")
    return Stopped(f"Epoch {epoch} of {epochs} is saved.", resumes=True)
