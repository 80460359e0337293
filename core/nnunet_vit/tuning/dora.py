"""DoRA (https://arxiv.org/abs/2402.09353): direction by LoRA, length trained beside it."""

from typing import TYPE_CHECKING

from nnunet_vit.tuning.adapters.inject import inject_adapters

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig

NAME = "dora"
SUMMARY = "LoRA, and the length of each output channel's weights is trained as well"
ADAPTERS = True


def tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Inject adapters into the blocks and prove that each of them reaches the output.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: an adapter has no influence on the features.
    """
    inject_adapters(model, run.lora, use_dora=True)
