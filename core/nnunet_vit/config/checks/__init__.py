"""What must hold between the keys of a run file, and between them and what is installed."""

from collections.abc import Callable

from nnunet_vit.config.checks.backbone_checks import (
    check_backbone,
    check_weights,
    check_weights_repository,
)
from nnunet_vit.config.checks.feature_cache_checks import check_feature_cache
from nnunet_vit.config.checks.fold_checks import check_groups, check_splits
from nnunet_vit.config.checks.head_checks import check_head
from nnunet_vit.config.checks.recipe_checks import check_augmentation, check_loss
from nnunet_vit.config.checks.tracker_checks import check_trackers
from nnunet_vit.config.checks.training_checks import (
    check_batch,
    check_folders,
    check_intensities,
    check_rates,
    check_tuning,
)
from nnunet_vit.config.draft import Draft

_CHECKS: tuple[Callable[[Draft], None], ...] = (
    check_head,
    check_backbone,
    check_weights_repository,
    check_weights,
    check_tuning,
    check_folders,
    check_groups,
    check_splits,
    check_intensities,
    check_rates,
    check_batch,
    check_feature_cache,
    check_trackers,
    check_loss,
    check_augmentation,
)


def run_checks(draft: Draft) -> None:
    """Add the problems of all checks to the draft."""
    for check in _CHECKS:
        check(draft)
