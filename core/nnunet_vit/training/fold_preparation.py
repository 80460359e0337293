"""What comes before a fold's training: checks, plans and preprocessed data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.channels import normalization_of
from nnunet_vit.data.checks.training_files import check_training_files
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.patch_size import patch_size_of_run
from nnunet_vit.data.preprocessing.decision import Work
from nnunet_vit.data.preprocessing.freshness import decide
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.data.preprocessing.refusals import NOTHING, Asked
from nnunet_vit.data.splits import NAME, check_fold
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.folders import folder
from nnunet_vit.nnunet.plans import run_plans, write_plans
from nnunet_vit.nnunet.run_names import name_where_found
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with
from nnunet_vit.training.fold_folders import claimed, what_is_saved
from nnunet_vit.training.preflight import check_network, starts_from_checkpoint

TRAINER = "nnUNetTrainer_vit"


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


@dataclass(frozen=True)
class Request:
    """How a fold is to be trained.

    Attributes:
        device: cpu, cuda, cuda:1 or mps; None: the best that is there.
        resume: continue from the last checkpoint.
        overwrite: delete an existing result and start from scratch.
        asked: what may change of preprocessed data that are there.
        later: folds that are trained afterwards: they are checked now, and overwritten with this.
        probabilities: the validation writes them beside its masks, as nnU-Net's --npz does.
    """

    device: str | None = None
    resume: bool = False
    overwrite: bool = False
    asked: Asked = NOTHING
    later: Sequence[int] = ()
    probabilities: bool = False


def prepare_fold(run: ViTnnUNetConfig, request: Request, progress: Progress) -> ReadyFold:
    """Check everything, plan and preprocess where needed, write the run's plans.

    Args:
        run: as `opened` yields it, of one fold.
        request: how it is to be trained; nothing is deleted here.
        progress: where to show what happens.
    """
    overwrite, later = request.overwrite, request.later
    dataset = find_dataset(run.data.dataset)
    name = run_name(dataset, run)
    fold_folder = model_folder(dataset, run, name) / f"fold_{run.data.fold}"
    resumes = starts_from_checkpoint(fold_folder, request.resume, overwrite)
    if overwrite:
        others = [fold for fold in later if (fold_folder.parent / f"fold_{fold}").is_dir()]
        with claimed(fold_folder.parent, others):
            pass  # before data are prepared for hours
    chosen = choose_device(request.device)
    asked = replace(request.asked, resume=resumes)
    work = _check_data(dataset, run, asked, progress=progress, later=later)
    facts = check_network(dataset, run, not resumes, progress=progress, schemes=work.schemes)
    if work.plan or work.preprocess or work.added:
        check_training_files(dataset, facts.patch_size, progress)
    with stops_with(lambda: what_is_saved(fold_folder, run.train.num_epochs, overwrite)):
        (fold,) = run.data.folds
        plans = prepare(dataset, run.data.configuration, progress, asked=asked, fold=fold)
    # the plans that have normalized the pixels decide
    schemes = normalization_of(dataset, run.data.configuration)
    facts = check_network(dataset, run, False, progress=progress, schemes=schemes)
    patch_size = patch_size_of_run(run, plans, facts.patch_size, progress=progress)
    own = run_plans(plans, run, patch_size, statistics=facts.statistics, name=name)
    write_plans(own, dataset.preprocessed)
    return ReadyFold(dataset, name, fold_folder, chosen, resumes)


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
