"""The first patches of a training, beside what they were before their augmentation."""

import json
from collections.abc import Iterator
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
from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.labels import labels_of
from nnunet_vit.evaluation.overlays import legend_of
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.folders import environment
from nnunet_vit.planning.open_keys import GivenRun
from nnunet_vit.report.overlay import Legend
from nnunet_vit.report.patch_rows import ShownPatch
from nnunet_vit.report.progress import Progress
from nnunet_vit.training.feature_cache.first_batches import first_batches
from nnunet_vit.training.trainer import nnUNetTrainer_vit
from nnunet_vit.training.whole_batches import CPU, DRAWN
from nnunet_vit.training.without_results import prepared_without_results

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
    with prepared_without_results(run, progress, given=given) as ready:
        trainer = _trainer(ready.dataset, ready.run, ready.plans)
        return ShownBatch(
            list(_drawn(trainer, number)), legend_of(labels_of(ready.dataset.description)),
            trainer.seed, ready.run.data.folds[0],
        )  # fmt: skip


def _trainer(dataset: Dataset, run: ViTnnUNetConfig, plans: JsonObject) -> nnUNetTrainer_vit:
    content = json.loads(json.dumps({**plans, "continue_training": False}))
    (fold,) = run.data.folds
    device = torch.device(choose_device(None))  # which decides where patches are augmented
    trainer = nnUNetTrainer_vit(content, run.data.configuration, fold, dataset.description, device)
    trainer.enable_deep_supervision = False  # its masks of lower resolution show nothing new
    trainer._set_batch_size_and_oversample()
    return trainer


def _drawn(trainer: nnUNetTrainer_vit, number: int) -> Iterator[ShownPatch]:
    in_files = [str(each) for each in trainer.configuration_manager.normalization_schemes]
    factor = 255.0 if tuple(in_files) == UNIT_RGB else 1.0
    shown = 0
    for batch in _batches(trainer):
        for place in range(min(len(batch.keys), number - shown)):
            image, mask = batch.before[place]
            yield ShownPatch(
                batch.keys[place], _pixels(image, factor), _numbers(mask),
                _pixels(batch.images[place], factor), _numbers(batch.masks[place]),
            )  # fmt: skip
            shown += 1
        if shown == number:
            return


@dataclass(frozen=True)
class _Batch:
    """A batch as the network gets it, masks with labels, and its patches as they were before."""

    keys: list[str]
    images: Tensor
    masks: Tensor
    before: list[tuple[Tensor, Tensor]]


def _batches(trainer: nnUNetTrainer_vit) -> Iterator[_Batch]:
    with environment(WORKERS, "0"):
        beside = _Beside(_transforms(trainer, trainer.run.train.augmentation),
                         _transforms(trainer, AugmentationSection(**NAMED["none"])))  # fmt: skip
        training = first_batches(trainer)
    whole = trainer.batched
    if whole is None:
        training.data_loader.loader.transforms = beside
    else:
        whole.leave_out(ConvertSegmentationToRegionsTransform)
    while True:
        beside.before.clear()
        batch = next(training)
        keys, images, masks = list(map(str, batch["keys"])), batch["data"], batch["target"]
        before = list(beside.before)
        if whole is not None:
            before = [beside.unchanged(*each) for each in zip(images, masks, strict=True)]
            images, masks = whole(images.to(trainer.device), masks.to(trainer.device), batch[DRAWN])
        yield _Batch(keys, images.cpu(), masks.cpu(), before)


def _transforms(trainer: nnUNetTrainer_vit, section: AugmentationSection) -> ComposeTransforms:
    """Return the transforms of a training with that augmentation, whose masks hold labels."""
    own = trainer.run
    changed = {"augmentation": section, "augmentation_device": CPU}
    train = own.train.model_copy(update=changed)
    trainer.run = own.model_copy(update={"train": train})
    loader, _ = trainer.plain_loaders()
    trainer.run, trainer.augmented_on = own, ""
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
        self.before.append(self.unchanged(image, segmentation))
        torch.random.set_rng_state(state)
        np.random.set_state(numpy_state)
        found: JsonObject = self.augmented(image=image, segmentation=segmentation)
        return found

    def unchanged(self, image: Tensor, segmentation: Tensor) -> tuple[Tensor, Tensor]:
        """Return a larger patch's middle."""
        plain = self.plain(image=image.clone(), segmentation=segmentation.clone())
        return plain["image"], plain["segmentation"]


def _pixels(image: Tensor, factor: float) -> "Array":
    """Return an image (C, H, W) as pictures have it: (H, W, C), its values times a factor."""
    values = factor * image.movedim(0, -1).numpy()
    return values.clip(0, 255).round() if factor != 1 else values


def _numbers(mask: Tensor) -> "Array":
    return np.asarray(mask[0]).astype(int)
