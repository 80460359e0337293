"""The tap of a training's network, or why there is none."""

from typing import TYPE_CHECKING

import torch
from torch._dynamo import OptimizedModule

from nnunet_vit.config.feature_cache_section import FeatureCacheSection
from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.runtime.dropping import dropping_layers
from nnunet_vit.modeling.runtime.feature_tap import FeatureTap

if TYPE_CHECKING:
    from nnunet_vit.training.trainer import nnUNetTrainer_vit

KEY = "train.feature_cache"


def tap_of_run(trainer: "nnUNetTrainer_vit", section: FeatureCacheSection) -> FeatureTap:
    """Return the tap of the trainer's network.

    Raises:
        ConfigError: several processes, a compiled network, or a network that has no such features.
    """
    if trainer.is_ddp:
        raise ConfigError(
            f"{KEY}: several GPUs share a batch, and each would keep views of its own.",
            fix=f"{KEY}: null, or one GPU.",
        )
    if isinstance(trainer.network, OptimizedModule):
        raise ConfigError(
            f"{KEY}: nnUNet_compile compiles the network, features would be built into it.",
            fix=f"unset nnUNet_compile, or {KEY}: null.",
        )
    tap = FeatureTap(
        trainer.bare_network,
        trainer.configuration_manager.patch_size,
        getattr(torch, section.dtype),
    )
    if dropping := dropping_layers(tap.backbone):
        trainer.progress.warn(
            f"{KEY}: {len(dropping)} layers of the backbone drop something at random in training "
            f"({dropping[0]}); in frozen blocks, whose features are kept, they do not."
        )
    return tap
