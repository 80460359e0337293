"""One run from the raw dataset to validated models of its folds."""

import contextlib
from collections.abc import Iterator

from nnunet_vit.config.dump import write_run
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.notices import notices
from nnunet_vit.files.locks import given_back
from nnunet_vit.nnunet.folders import use_folders, use_processors
from nnunet_vit.nnunet.plans import write_plans
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with
from nnunet_vit.training.execution import TrainedModel, execute, make_trainer, take_up
from nnunet_vit.training.fold_folders import claimed, empty_folds, what_is_saved
from nnunet_vit.training.fold_preparation import Request, prepare_fold
from nnunet_vit.training.settling import settled


def train(run: ViTnnUNetConfig, request: Request, progress: Progress) -> TrainedModel:
    """Plan and preprocess where needed, train one fold, validate it.

    Args:
        run: resolved, of one fold.
        request: how it is to be trained.
        progress: where to show what happens.

    Raises:
        UserError: everything that can be known is checked before anything is written.
    """
    with opened(run, progress) as known:
        return train_fold(*settled(known, request, progress), progress)


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
    _warn_of(run, progress)
    with downloads_shown_by(progress), given_back():
        yield as_snapshot_says(as_repository_says(run))


def _warn_of(run: ViTnnUNetConfig, progress: Progress) -> None:
    for notice in notices(run):
        progress.warn(notice)


def train_fold(run: ViTnnUNetConfig, request: Request, progress: Progress) -> TrainedModel:
    """Train the run's fold.

    Args:
        run: as `opened` yields it, of one fold, with all its values.
        request: how it is to be trained.
        progress: where to show what happens.
    """
    _warn_of(run, progress)  # of what a plan has chosen, too: none is shown twice
    ready = prepare_fold(run, request, progress)
    emptied = [*run.data.folds, *request.later] if request.overwrite else []
    with (
        claimed(ready.folder.parent, emptied or run.data.folds) as lines,
        stops_with(lambda: what_is_saved(ready.folder, run.train.num_epochs)),
    ):
        for line in lines:
            progress.log(line)
        empty_folds(ready.folder.parent, emptied)
        trainer = make_trainer(ready.dataset, run, ready.plans, device=ready.device,
                               resumes=ready.resumes)  # fmt: skip
        trainer.progress = progress
        # an earlier validation has kept them: a longer training keeps them too
        kept = trainer.fold_folder.has_probabilities(trainer.do_split()[1])
        if ready.resumes:
            take_up(trainer, progress)
        write_plans(ready.plans, ready.dataset.preprocessed)  # for stock nnU-Net's commands
        write_run(run, ready.folder / "run.yaml")
        return execute(trainer, progress, request.probabilities or kept)
