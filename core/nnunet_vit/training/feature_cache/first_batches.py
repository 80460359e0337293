"""The first batches of a training that is looked at and not started."""

from typing import TYPE_CHECKING

from nnunet_vit.training.dataloading import Augmenter, augmenters, made_by
from nnunet_vit.training.feature_cache.view_batches import ViewBatches, plan_of

if TYPE_CHECKING:
    from nnunet_vit.training.trainer import nnUNetTrainer_vit


def first_batches(trainer: "nnUNetTrainer_vit") -> Augmenter:
    """Return the batches of the first steps, made by this process: views that are to be kept, too.

    Args:
        trainer: whose network is not built.
    """
    training, validation = trainer.plain_loaders()
    section = trainer.run.train.feature_cache
    if section is None:
        return augmenters(trainer, training, validation)[0]
    plan = plan_of(training, section.views, trainer.seed)
    views = ViewBatches(training, plan, range(plan.lots), workers=0)
    return made_by(0, views, pin_memory=False)
