"""Adapters put into the blocks of a timm ViT by peft."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nnunet_vit.tuning.adapters.adapted_layers import target_names, target_pattern
from nnunet_vit.tuning.adapters.adapter_check import check_adapters
from nnunet_vit.tuning.adapters.fuse_attention_bias import fuse_attention_bias

if TYPE_CHECKING:
    from peft import PeftConfig
    from torch import nn


def inject_adapters(
    model: "nn.Module",
    targets: Sequence[str] | None,
    config_for: "Callable[[str], PeftConfig]",
    *,
    inject: "Callable[[PeftConfig, nn.Module], object] | None" = None,
) -> None:
    """Put adapters into the blocks, freeze the rest, and prove that each reaches the features.

    The model keeps its class and its features; the keys of adapted layers change, in the same way
    for the same settings. Weights are loaded before.

    Args:
        model: a timm ViT.
        targets: names of the layers to adapt; None: the attention's input.
        config_for: returns peft's configuration for the pattern of the layers' full names.
        inject: puts such adapters in; None: peft's inject_adapter_in_model, which keeps timm's
            class and keys, where get_peft_model would wrap and rename them.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: an adapter has no influence on the features.
    """
    from peft import inject_adapter_in_model

    pattern = target_pattern(target_names(model, targets))
    fuse_attention_bias(model, pattern)
    (inject or inject_adapter_in_model)(config_for(pattern), model)
    check_adapters(model)
