"""Rank-stabilized LoRA (https://arxiv.org/abs/2312.03732): a scale that suits high ranks."""

from typing import TYPE_CHECKING

from nnunet_vit.tuning.adapters.inject import inject_adapters

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig

NAME = "rslora"
SUMMARY = "LoRA scaled by lora_alpha / sqrt(r) instead of lora_alpha / r, so that high ranks learn"
ADAPTERS = True


def tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Inject adapters into the blocks and prove that each of them reaches the output.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: an adapter has no influence on the features.
    """
    inject_adapters(model, run.lora, use_rslora=True)
