"""Adapters put into the blocks of a timm ViT by peft."""

from typing import TYPE_CHECKING, Literal

from nnunet_vit.tuning.adapters.defuse import defuse
from nnunet_vit.tuning.adapters.probe import check_adapters
from nnunet_vit.tuning.adapters.targets import target_names, target_pattern

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTLoRAConfig


def inject_adapters(
    model: "nn.Module", lora: "ViTLoRAConfig", use_rslora: bool = False, use_dora: bool = False
) -> None:
    """Put adapters into the blocks, freeze the rest, and prove that each reaches the features.

    The model keeps its class and its features; the keys of adapted layers change, in the same way
    for the same settings. Weights are loaded before.

    Args:
        model: a timm ViT.
        lora: section `lora` of the run file.
        use_rslora: the scale is lora_alpha / √r instead of lora_alpha / r.
        use_dora: the length of each output channel's weights is trained too.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: an adapter has no influence on the features.
    """
    from peft import LoraConfig, inject_adapter_in_model

    pattern = target_pattern(target_names(model, lora.target_modules))
    defuse(model, pattern)
    adapters = LoraConfig(
        r=lora.r,
        lora_alpha=lora.lora_alpha,
        lora_dropout=lora.lora_dropout,
        target_modules=pattern,
        init_lora_weights=_start(lora.r),
        use_rslora=use_rslora,
        use_dora=use_dora,
    )
    # injecting keeps timm's class and keys; get_peft_model would wrap and rename them
    inject_adapter_in_model(adapters, model)
    check_adapters(model)


def _start(rank: int) -> Literal["orthogonal", True]:
    # B = 0 lets A learn nothing in the first step; peft's orthogonal A and B are both alive, and
    # B A is 0 all the same. It needs an even rank.
    return "orthogonal" if rank % 2 == 0 else True
