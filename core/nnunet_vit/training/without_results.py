"""A run planned and preprocessed as for its training, which leaves nothing among the results."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.preprocessing.refusals import NOTHING
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.nnunet.folders import VARIABLES, environment
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.fold_preparation import Request, prepared_plans
from nnunet_vit.training.run import opened
from nnunet_vit.training.run_identity import identity_of
from nnunet_vit.training.settling import settled


@dataclass(frozen=True)
class PreparedRun:
    """A run of one fold whose trainer can be made.

    Attributes:
        run: with all its values; its results are a temporary folder.
        dataset: preprocessed.
        plans: of the run.
    """

    run: ViTnnUNetConfig
    dataset: Dataset
    plans: JsonObject


@contextmanager
def prepared_without_results(
    run: ViTnnUNetConfig,
    progress: Progress,
    *,
    given: GivenRun | None,
    device: str | None = None,
) -> Iterator[PreparedRun]:
    """Plan and preprocess where needed; yield the run's first fold while its results are elsewhere.

    Args:
        run: resolved.
        progress: where to show what happens.
        given: what the user gave: what it leaves open is planned as for the training.
        device: that is planned for; None: the best that is there.

    Raises:
        UserError: whatever the training would refuse of data, loss and augmentation.
    """
    fold = run.data.folds[0]
    run = run.model_copy(update={"data": run.data.model_copy(update={"fold": fold})})
    results = os.environ.get(VARIABLES["results"])
    request = Request(device, given=given)
    with _without_results(run) as alone, opened(alone, progress) as opened_run:
        with _results_of(run, results):  # those that are there say how the run was planned
            known, _ = settled(opened_run, request, progress, trains=False)
        dataset = find_dataset(known.data.dataset)
        identity = identity_of(dataset, known, lengthens=False)
        plans = prepared_plans(
            dataset, known, NOTHING, progress=progress, identity=identity, fresh=False
        )
        yield PreparedRun(known, dataset, plans)


@contextmanager
def _without_results(run: ViTnnUNetConfig) -> Iterator[ViTnnUNetConfig]:
    """Let nnU-Net's trainer, which makes its folder at once, do so where it is removed again."""
    with tempfile.TemporaryDirectory() as folder:
        paths = run.paths.model_copy(update={"results": folder})
        yield run.model_copy(update={"paths": paths})


def _results_of(run: ViTnnUNetConfig, before: str | None) -> AbstractContextManager[None]:
    """Let the run's results be those of before, where there are any."""
    there = run.paths.results or before
    return environment(VARIABLES["results"], there) if there else nullcontext()
