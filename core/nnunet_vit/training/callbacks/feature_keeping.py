"""Keeps what a frozen backbone computes of a training's views, and gives it to its steps."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeAlias

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.training.callback import Training, TrainingCallback
from nnunet_vit.training.dataloading import Augmenter, augmenters
from nnunet_vit.training.feature_cache.cached_batches import FEATURES, CachedBatches
from nnunet_vit.training.feature_cache.opened_cache import OpenedCache

if TYPE_CHECKING:
    from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

    from nnunet_vit.training.trainer import nnUNetTrainer_vit

Batches: TypeAlias = Augmenter | CachedBatches


class FeatureKeeping(TrainingCallback):
    """Has nothing to do in a run without train.feature_cache.

    Attributes:
        cache: of a training whose features are kept.
    """

    order = 110
    cache: OpenedCache | None = None

    def loaders(
        self,
        trainer: "nnUNetTrainer_vit",
        training: "nnUNetDataLoader",
        validation: "nnUNetDataLoader",
    ) -> tuple[Batches, Augmenter]:
        """Return the batches of training and validation, made by as many workers as fit.

        Raises:
            ConfigError, MachineError: the features cannot be kept.
        """
        section = trainer.run.train.feature_cache
        if section is None or not trainer.was_initialized:  # without a network no step follows
            return augmenters(trainer, training, validation)
        self.cache = OpenedCache(trainer, training, section)
        usual, of_validation = augmenters(trainer, training, validation)
        return self.cache.batches(usual), of_validation

    def serving(self, batch: JsonObject) -> AbstractContextManager[None]:
        """Return the context in which a training step of the batch has its kept features."""
        return nullcontext() if self.cache is None else self.cache.tap.serving(batch[FEATURES])

    def on_training_end(self, training: Training) -> None:
        """Give up what was kept."""
        if self.cache is not None:
            self.cache.close()


CALLBACK = FeatureKeeping
