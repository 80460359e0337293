"""Augmentation of whole batches on the network's device: whether, and what workers do then."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_vit.augmentation.batched.batched_set import BatchedSet, obstacles
from nnunet_vit.augmentation.kind import PatchFacts
from nnunet_vit.config.augmentation_section import AugmentationSection
from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.training.run_transforms import patch_facts, transforms_of_run

if TYPE_CHECKING:
    from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

    from nnunet_vit.training.trainer import nnUNetTrainer_vit

KEY = "train.augmentation_device"
CPU, GPU = "cpu", "gpu"
DRAWN = "drawn_augmentation"  # in a batch: what it is augmented with


class DrawnBatches:
    """A loader's batches of larger patches, each with what is drawn for its augmentation."""

    def __init__(self, loader: Iterator[JsonObject], batched: BatchedSet) -> None:
        """Draw for each batch after it is read, with the random numbers that are seeded for it."""
        self.loader = loader
        self.batched = batched

    def __iter__(self) -> Iterator[JsonObject]:
        return self

    def __next__(self) -> JsonObject:
        batch = next(self.loader)
        count, *shape = batch["data"].shape
        return {**batch, DRAWN: self.batched.drawn(count, shape)}


def whole_batches(trainer: "nnUNetTrainer_vit", loader: "nnUNetDataLoader") -> BatchedSet | None:
    """Take its transforms from a loader, where whole batches are to be augmented.

    Args:
        trainer: of the run; where it augments is noted there, for its checkpoints.
        loader: nnU-Net's, of the training patches; afterwards it reads and crops alone.

    Returns:
        What is to be done to its batches; None: its own transforms stay.

    Raises:
        ConfigError: the run wants it, and a transform works on single patches alone.
    """
    settings, transforms = trainer.run.train, loader.transforms.transforms
    wanted: str = settings.augmentation_device
    if wanted == "auto":  # workers, until a GPU has shown what is quicker there
        wanted = trainer.augmented_on or CPU  # a resumed training stays as it began
    texts = [] if wanted == CPU else obstacles(transforms)
    trainer.augmented_on = CPU if wanted == CPU else GPU
    if trainer.augmented_on == CPU:
        return None
    if texts:
        raise _refused(named_obstacles(settings.augmentation, patch_facts(trainer)) or texts)
    loader.transforms = None
    return BatchedSet(transforms)


def check_augmentation_device(settings: ViTTrainConfig, schemes: list[str]) -> None:
    """Refuse augmentations that work on single patches alone where whole batches are wanted.

    Args:
        settings: the run's section `train`.
        schemes: nnU-Net's normalization of each channel, by class name.

    Raises:
        ConfigError: it names them.
    """
    if settings.augmentation_device == GPU and settings.feature_cache is not None:
        raise ConfigError(
            f"{KEY}: gpu with train.feature_cache, whose views are augmented once, by workers.",
            fix=f"{KEY}: cpu or auto, or leave out train.feature_cache.",
        )
    if settings.augmentation_device == GPU:
        texts = named_obstacles(settings.augmentation, PatchFacts((64, 64), schemes))
        if texts:
            raise _refused(texts)


def named_obstacles(section: AugmentationSection, patches: PatchFacts) -> list[str]:
    """Return what keeps a run's augmentation from whole batches, each with the key that adds it."""
    found: dict[str, str] = {}
    for name in ("", *section.added):
        added = {name: section.added[name]} if name else {}
        only = AugmentationSection(strength=section.strength, mirror=section.mirror, **added)
        usual = nnUNetTrainer.get_training_transforms(
            patches.size, (-np.pi, np.pi), None, (0, 1), False
        )
        for text in obstacles(transforms_of_run(usual, only, patches).transforms):
            found.setdefault(text, f"train.augmentation.{name}: {text}" if name else text)
    return list(found.values())


def _refused(texts: list[str]) -> ConfigError:
    return ConfigError(
        f"{KEY}: gpu augments whole batches. {'; '.join(texts)}.",
        fix=f"{KEY}: cpu, or leave that augmentation out.",
    )
