"""One run from the raw dataset to a validated model."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.config.dump import write_run
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.notices import notices
from nnunet_vit.data.channels import normalization_of
from nnunet_vit.data.checks.training_files import check_training_files
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.patch_size import patch_size_of_run
from nnunet_vit.data.preprocessing.damaged_cases import damage_named
from nnunet_vit.data.preprocessing.data_record import REDO
from nnunet_vit.data.preprocessing.decision import Work
from nnunet_vit.data.preprocessing.freshness import decide
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.data.preprocessing.refusals import NOTHING, Asked
from nnunet_vit.data.splits import NAME, check_fold
from nnunet_vit.errors import Stopped
from nnunet_vit.evaluation.evaluate import names_by_key
from nnunet_vit.files.json_file import read_json
from nnunet_vit.files.locks import given_back
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.folders import claim, empty, folder, use_folders, use_processors
from nnunet_vit.nnunet.plans import run_plans, write_plans
from nnunet_vit.nnunet.run_names import name_where_found
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with
from nnunet_vit.training.preflight import check_network, starts_from_checkpoint

if TYPE_CHECKING:
    from nnunet_vit.training.trainer import nnUNetTrainer_vit

TRAINER = "nnUNetTrainer_vit"


@dataclass(frozen=True)
class TrainedModel:
    """What a run leaves behind.

    Attributes:
        folder: nnU-Net's model folder, with one folder per fold.
        dice: mean over foreground classes and validation cases.
        per_class: by class or region, mean over validation cases.
        cases: number of validation cases; of the training cases where the fold is `all`.
        fold: that was trained.
    """

    folder: Path
    dice: float
    per_class: dict[str, float]
    cases: int
    fold: int | str


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
        run: resolved.
        device: cpu, cuda, cuda:1 or mps; None: the best that is there.
        resume: continue from the last checkpoint.
        overwrite: delete an existing result and start from scratch.
        progress: where to show what happens.
        asked: what may change of preprocessed data that are there.

    Raises:
        UserError: everything that can be known is checked before anything is written.
    """
    from nnunet_vit.modeling.hub.download_progress import downloads_shown_by
    from nnunet_vit.modeling.vit.hub_network import as_repository_says
    from nnunet_vit.modeling.vit.snapshot_network import as_snapshot_says

    use_folders(run.paths)
    use_processors()
    for notice in notices(run):
        progress.warn(notice)
    with downloads_shown_by(progress), given_back():
        run = as_snapshot_says(as_repository_says(run))
        return _train(run, device, resume, overwrite=overwrite, progress=progress, asked=asked)


def _train(
    run: ViTnnUNetConfig,
    device: str | None,
    resume: bool,
    *,
    overwrite: bool,
    progress: Progress,
    asked: Asked,
) -> TrainedModel:
    dataset = find_dataset(run.data.dataset)
    name = run_name(dataset, run)
    fold_folder = model_folder(dataset, run, name) / f"fold_{run.data.fold}"
    resumes = starts_from_checkpoint(fold_folder, resume, overwrite)
    chosen = choose_device(device)
    asked = replace(asked, resume=resumes)
    work = _check_data(dataset, run, asked, progress=progress)
    facts = check_network(dataset, run, not resumes, progress=progress, schemes=work.schemes)
    if work.plan or work.preprocess or work.added:
        check_training_files(dataset, facts.patch_size, progress)
    with stops_with(lambda: _stopped(fold_folder, run.train.num_epochs, overwrite)):
        plans = prepare(dataset, run.data.configuration, progress, asked=asked, fold=run.data.fold)
    # the plans that have normalized the pixels decide
    schemes = normalization_of(dataset, run.data.configuration)
    facts = check_network(dataset, run, False, progress=progress, schemes=schemes)
    patch_size = patch_size_of_run(run, plans, facts.patch_size, progress=progress)
    own = run_plans(plans, run, patch_size, statistics=facts.statistics, name=name)
    write_plans(own, dataset.preprocessed)
    with (
        claim(fold_folder) as held,
        stops_with(lambda: _stopped(fold_folder, run.train.num_epochs)),
    ):
        if held.notice:
            progress.log(held.notice)
        if overwrite:
            empty(fold_folder)
        trainer = _trainer(dataset, run, name, device=chosen, resumes=resumes)
        trainer.progress = progress
        write_run(run, fold_folder / "run.yaml")
        return _execute(trainer, resumes, progress)


def _check_data(
    dataset: Dataset, run: ViTnnUNetConfig, asked: Asked, *, progress: Progress
) -> Work:
    """Check plans, preprocessed data and splits; return what has to be done."""
    progress.start_work("Comparing the raw data with the preprocessed data")
    try:
        work = decide(dataset, run.data.configuration, asked)
    finally:
        progress.close()
    known = [*work.cases, *work.removed]  # what has been removed leaves the splits
    ending = dataset.description["file_ending"]
    notices = check_fold(
        dataset.preprocessed / NAME, run.data.fold, known, ending=ending, joining=work.added
    )
    for notice in [*work.notices, *notices]:
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


def _trainer(
    dataset: Dataset, run: ViTnnUNetConfig, name: str, *, device: str, resumes: bool
) -> "nnUNetTrainer_vit":
    import torch

    from nnunet_vit.training.trainer import nnUNetTrainer_vit

    plans_file = dataset.preprocessed / f"{name}.json"
    plans = json.loads(plans_file.read_text(encoding="utf-8"))  # written a moment ago
    plans["continue_training"] = resumes
    description = read_json(dataset.preprocessed / "dataset.json", REDO)
    return nnUNetTrainer_vit(
        plans, run.data.configuration, run.data.fold, description, torch.device(device)
    )


def _execute(trainer: "nnUNetTrainer_vit", resumes: bool, progress: Progress) -> TrainedModel:
    from nnunet_vit.training.resuming import resume

    if resumes:
        resume(trainer)
        for notice in trainer.fold_folder.store.notices:
            progress.log(notice)
        progress.log(f"Resuming after epoch {trainer.current_epoch} of {trainer.num_epochs}.")
    data = Path(trainer.preprocessed_dataset_folder)
    if trainer.current_epoch < trainer.num_epochs:
        lead = f"nnU-Net cannot train on {trainer.plans_manager.dataset_name}"
        with damage_named(data, progress), captured(lead, progress):
            trainer.run_training()
    elif not trainer.fold_folder.whole.is_file():  # it was stopped right before
        trainer.save_checkpoint(str(trainer.fold_folder.whole))
    _, validation_cases = trainer.do_split()
    where = " on the training cases" if trainer.fold == "all" else ""
    progress.start_cases(f"Validating with sliding window{where}", len(validation_cases))
    lead = f"nnU-Net cannot validate fold {trainer.fold}"
    with damage_named(data, progress), captured(lead, progress):
        trainer.perform_actual_validation(False)
    progress.close()
    summary = Path(trainer.output_folder) / "validation" / "summary.json"
    metrics = json.loads(summary.read_text(encoding="utf-8"))
    names = names_by_key(trainer.label_manager, trainer.dataset_json)
    return TrainedModel(
        folder=Path(trainer.output_folder_base),
        dice=float(metrics["foreground_mean"]["Dice"]),
        per_class={names[key]: float(mean["Dice"]) for key, mean in metrics["mean"].items()},
        cases=len(validation_cases),
        fold=trainer.fold,
    )
