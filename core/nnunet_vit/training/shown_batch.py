"""The first patches of a training, beside what they were before their augmentation."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.seg_to_regions import ConvertSegmentationToRegionsTransform
from torch import Tensor

from nnunet_vit.augmentation.kind import UNIT_RGB
from nnunet_vit.config.augmentation_section import NAMED, AugmentationSection
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.labels import labels_of
from nnunet_vit.data.preprocessing.refusals import NOTHING
from nnunet_vit.evaluation.overlays import legend_of
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.nnunet.folders import VARIABLES, environment
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.report.overlay import Legend
from nnunet_vit.report.patch_rows import ShownPatch
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.feature_cache.first_batches import first_batches
from nnunet_vit.training.fold_preparation import Request, prepared_plans
from nnunet_vit.training.run import opened
from nnunet_vit.training.run_identity import identity_of
from nnunet_vit.training.settling import settled
from nnunet_vit.training.trainer import nnUNetTrainer_vit

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

WORKERS = "nnUNet_n_proc_DA"


@dataclass(frozen=True)
class ShownBatch:
    """What a training begins with.

    Attributes:
        patches: in the order in which the network gets them.
        legend: of their masks.
        seed: that they were drawn with.
        fold: whose training cases they are from.
    """

    patches: list[ShownPatch]
    legend: Legend
    seed: int
    fold: int | str


def first_patches(
    run: ViTnnUNetConfig, number: int, progress: Progress, given: GivenRun | None = None
) -> ShownBatch:
    """Plan and preprocess where needed, and draw the first patches as the training would.

    Of a run with a seed they are the very patches of its first steps; of several folds the first
    one's. Neither is the network built nor anything written among the results.

    Args:
        run: resolved.
        number: of patches.
        progress: where to show what happens.
        given: what the user gave: what it leaves open is planned as for the training.

    Raises:
        UserError: whatever the training would refuse of data, loss and augmentation.
    """
    fold = run.data.folds[0]
    run = run.model_copy(update={"data": run.data.model_copy(update={"fold": fold})})
    results = os.environ.get(VARIABLES["results"])
    with _without_results(run) as alone, opened(alone, progress) as opened_run:
        with _results_of(run, results):  # those that are there say how the run was planned
            known, _ = settled(opened_run, Request(given=given), progress, trains=False)
        dataset = find_dataset(known.data.dataset)
        identity = identity_of(dataset, known, lengthens=False)
        plans = prepared_plans(
            dataset, known, NOTHING, progress=progress, identity=identity, fresh=False
        )
        trainer = _trainer(dataset, known, plans)
        return ShownBatch(
            list(_drawn(trainer, number)), legend_of(labels_of(dataset.description)),
            trainer.seed, fold,
        )  # fmt: skip


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


def _trainer(dataset: Dataset, run: ViTnnUNetConfig, plans: JsonObject) -> nnUNetTrainer_vit:
    content = json.loads(json.dumps({**plans, "continue_training": False}))
    (fold,) = run.data.folds
    trainer = nnUNetTrainer_vit(
        content, run.data.configuration, fold, dataset.description, torch.device("cpu")
    )
    trainer.enable_deep_supervision = False  # its masks of lower resolution show nothing new
    trainer._set_batch_size_and_oversample()
    return trainer


def _drawn(trainer: nnUNetTrainer_vit, number: int) -> Iterator[ShownPatch]:
    in_files = [str(each) for each in trainer.configuration_manager.normalization_schemes]
    factor = 255.0 if tuple(in_files) == UNIT_RGB else 1.0
    with environment(WORKERS, "0"):
        beside = _Beside(_transforms(trainer, trainer.run.train.augmentation),
                         _transforms(trainer, AugmentationSection(**NAMED["none"])))  # fmt: skip
        training = first_batches(trainer)
    training.data_loader.loader.transforms = beside
    shown = 0
    while shown < number:
        beside.before.clear()
        batch = next(training)
        for place in range(min(len(batch["keys"]), number - shown)):
            image, mask = beside.before[place]
            yield ShownPatch(
                str(batch["keys"][place]), _pixels(image, factor), _numbers(mask),
                _pixels(batch["data"][place], factor), _numbers(batch["target"][place]),
            )  # fmt: skip
            shown += 1


def _transforms(trainer: nnUNetTrainer_vit, section: AugmentationSection) -> ComposeTransforms:
    """Return the transforms of a training with that augmentation, whose masks hold labels."""
    own = trainer.run
    train = own.train.model_copy(update={"augmentation": section})
    trainer.run = own.model_copy(update={"train": train})
    loader, _ = trainer.plain_loaders()
    trainer.run = own
    transforms = loader.transforms.transforms
    region = ConvertSegmentationToRegionsTransform
    return ComposeTransforms([each for each in transforms if not isinstance(each, region)])


@dataclass
class _Beside:
    """Augments as a training does, and keeps each patch as it was without."""

    augmented: ComposeTransforms
    plain: ComposeTransforms
    before: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def __call__(self, image: Tensor, segmentation: Tensor) -> JsonObject:
        state, numpy_state = torch.random.get_rng_state(), np.random.get_state()
        plain = self.plain(image=image.clone(), segmentation=segmentation.clone())
        self.before.append((plain["image"], plain["segmentation"]))
        torch.random.set_rng_state(state)
        np.random.set_state(numpy_state)
        found: JsonObject = self.augmented(image=image, segmentation=segmentation)
        return found


def _pixels(image: Tensor, factor: float) -> "Array":
    """Return an image (C, H, W) as pictures have it: (H, W, C), its values times a factor."""
    values = factor * image.movedim(0, -1).numpy()
    return values.clip(0, 255).round() if factor != 1 else values


def _numbers(mask: Tensor) -> "Array":
    return np.asarray(mask[0]).astype(int)
