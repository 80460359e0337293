"""What comes before a fold's training: checks, plans and preprocessed data."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.channels import normalization_of
from nnunet_vit.data.checking.training_files import check_training_files, repeat_warnings
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.folds.fold_check import check_fold
from nnunet_vit.data.folds.fold_rules import FoldCases, FoldRules, rules_of
from nnunet_vit.data.patch_size import patch_size_of_run
from nnunet_vit.data.preprocessing.dataset_plans import data_folder_of
from nnunet_vit.data.preprocessing.decision import Work
from nnunet_vit.data.preprocessing.foreign_pickles import refuse_foreign_pickles
from nnunet_vit.data.preprocessing.freshness import decide
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.data.preprocessing.refusals import NOTHING, Asked
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.files.writable import check_writable
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.folders import VARIABLES
from nnunet_vit.nnunet.plans import run_plans
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with
from nnunet_vit.training.fold_folders import claimed, what_is_saved
from nnunet_vit.training.preflight import check_network, starts_from_checkpoint
from nnunet_vit.training.run_identity import Identity, identity_of, results_of_first_recipe

LENGTHENS = "NNUNET_VIT_LENGTHENS"  # a variable of commands that train folds of a lengthened run


@dataclass(frozen=True)
class ReadyFold:
    """A fold for which everything is checked, planned and preprocessed.

    Attributes:
        dataset: preprocessed.
        plans: of the run; they are not written yet.
        folder: nnU-Net's, of the fold.
        device: cpu, cuda, cuda:1 or mps.
        resumes: whether the training starts from a checkpoint.
    """

    dataset: Dataset
    plans: JsonObject
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
        lengthens: whether a shorter run may be continued for more epochs even where this fold is
            not resumed: other folds are.
        probabilities: the validation writes them beside its masks, as nnU-Net's --npz does.
        given: what the user gave, whose open values are planned; None: they are nnU-Net's plans'.
        tried: a run whose network has been built with its weights already.
        read: what has been read of the cases already.
    """

    device: str | None = None
    resume: bool = False
    overwrite: bool = False
    asked: Asked = NOTHING
    later: Sequence[int] = ()
    lengthens: bool = False
    probabilities: bool = False
    given: GivenRun | None = None
    tried: ViTnnUNetConfig | None = None
    read: ReadCases | None = None

    def has_tried(self, run: ViTnnUNetConfig) -> bool:
        """Tell whether the run's network has been built already."""
        tried = self.tried
        return tried is not None and (tried.model, tried.lora) == (run.model, run.lora)


def prepare_fold(run: ViTnnUNetConfig, request: Request, progress: Progress) -> ReadyFold:
    """Check everything, plan and preprocess where needed, make the run's plans.

    Args:
        run: as `opened` yields it, of one fold.
        request: how it is to be trained; nothing is deleted here.
        progress: where to show what happens.
    """
    overwrite, later = request.overwrite, request.later
    dataset = find_dataset(run.data.dataset)
    lengthens = request.lengthens or request.resume or LENGTHENS in os.environ
    identity = identity_of(dataset, run, lengthens=lengthens)
    fold_folder = identity.folder / f"fold_{run.data.fold}"
    if not identity.folder.is_dir() and (
        older := results_of_first_recipe(dataset, run, lengthens=lengthens)
    ):
        progress.warn(
            f"{older.name} is of the same run file as versions before read it, with the backbone "
            "at the head's rate; this run is another one. --set recipe=1 continues that one."
        )
    resumes = starts_from_checkpoint(fold_folder, request.resume, overwrite)
    for key, place in (("results", fold_folder), ("preprocessed", dataset.preprocessed)):
        check_writable(place, f"{VARIABLES[key]} (or paths.{key}): {place}")
    if overwrite:
        others = [fold for fold in later if (fold_folder.parent / f"fold_{fold}").is_dir()]
        with claimed(fold_folder.parent, others):
            pass  # before data are prepared for hours
    chosen = choose_device(request.device)
    asked = replace(request.asked, resume=resumes)
    own = prepared_plans(
        dataset, run, asked, progress=progress, identity=identity, later=later,
        fresh=False if request.has_tried(run) else None, read=request.read,
        ends=stops_with(lambda: what_is_saved(fold_folder, run.train.num_epochs, overwrite)),
    )  # fmt: skip
    return ReadyFold(dataset, own, fold_folder, chosen, resumes)


def prepared_plans(
    dataset: Dataset,
    run: ViTnnUNetConfig,
    asked: Asked,
    *,
    progress: Progress,
    identity: Identity,
    fresh: bool | None = None,
    later: Sequence[int] = (),
    ends: AbstractContextManager[None] | None = None,
    read: ReadCases | None = None,
) -> JsonObject:
    """Check data and network, plan and preprocess where needed; return the run's plans.

    Args:
        dataset: to train on.
        run: as `opened` yields it, of one fold.
        asked: what may change of preprocessed data that are there.
        progress: where to show what happens.
        identity: what the run and its plans are called.
        fresh: whether the network is built once with its weights; None: where nothing is resumed.
        later: folds that are trained afterwards.
        ends: around planning and preprocessing, for what is said where they are stopped.
        read: what has been read of the cases already.
    """
    work, rules = check_data(dataset, run, asked, progress=progress, later=later)
    builds = not asked.resume if fresh is None else fresh
    facts = check_network(dataset, run, builds, progress=progress, schemes=work.schemes)
    if work.plan or work.preprocess or work.added:
        read = read or ReadCases(work.files, fingerprints=work.plan)
        check_training_files(dataset, facts.patch_size, progress, take=read.take)
    else:
        repeat_warnings(dataset, facts.patch_size, progress)
    with ends or nullcontext():
        (fold,) = run.data.folds
        plans = prepare(dataset, run.data.configuration, progress, asked=asked, fold=fold,
                        rules=rules, read=read)  # fmt: skip
    # the plans that have normalized the pixels decide
    schemes = normalization_of(dataset, run.data.configuration)
    facts = check_network(dataset, run, False, progress=progress, schemes=schemes)
    patch_size = patch_size_of_run(run, plans, facts.patch_size, progress=progress)
    return run_plans(
        plans,
        run,
        patch_size,
        statistics=facts.statistics,
        name=identity.name,
        named_epochs=identity.named_epochs,
        cpu_bfloat16=identity.cpu_bfloat16,
    )


def check_data(
    dataset: Dataset,
    run: ViTnnUNetConfig,
    asked: Asked,
    *,
    progress: Progress,
    later: Sequence[int],
) -> tuple[Work, FoldRules]:
    """Check plans, preprocessed data and splits; return the work, and what folds keep to.

    Args:
        dataset: to train on.
        run: resolved; all its folds are looked at.
        asked: what may change of preprocessed data that are there.
        progress: where to show what is found.
        later: folds that are trained afterwards.
    """
    progress.start_work("Comparing the raw data with the preprocessed data")
    try:
        work = decide(dataset, run.data.configuration, asked)
    finally:
        progress.close()
    if not work.preprocess:
        refuse_foreign_pickles(data_folder_of(dataset, run.data.configuration))
    cases = FoldCases(
        work.cases, dataset.raw, dataset.preprocessed, dataset.description["file_ending"],
        leaving=work.removed,  # what has been removed leaves the splits
        joining=work.added,
    )  # fmt: skip
    rules = rules_of(run.data, cases)
    said = list(work.notices)
    for fold in (*run.data.folds, *later):
        said += check_fold(cases, fold, rules)
    for notice in said:
        progress.log_once(notice)
    return work, rules
