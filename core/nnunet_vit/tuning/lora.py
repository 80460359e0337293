"""LoRA (https://arxiv.org/abs/2106.09685): low-rank adapters, the rest frozen."""

from typing import TYPE_CHECKING

from nnunet_vit.tuning.adapters.inject import inject_adapters

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig

NAME = "lora"
SUMMARY = "low-rank adapters in the blocks' linear layers; the pretrained weights stay frozen"
ADAPTERS = True


def tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Inject adapters into the blocks and prove that each of them reaches the output.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: an adapter has no influence on the features.
    """
    inject_adapters(model, run.lora)
