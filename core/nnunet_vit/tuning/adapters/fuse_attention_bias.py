"""Layers whose weight timm reads past their module, made to be called again."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

# a projection without bias, and beside it the parts that timm joins to its bias, in that order
BIASES = {"qkv": ("q_bias", "k_bias", "v_bias"), "in_proj": ("qkv_bias", "mlp_bias")}


def fuse_attention_bias(model: "nn.Module", pattern: str) -> None:
    """Give the layers that match their joint bias, so that timm calls them.

    With biases of its own, the attention of BEiT and EVA computes `linear(x, qkv.weight, biases)`,
    and an adapter in qkv's place is never asked. Without them it calls qkv, whose bias gives the
    same numbers to the last bit. The keys of the state change; call it after weights are loaded.
    """
    import torch
    from torch import nn

    for path, module in model.named_modules():
        for name, parts in BIASES.items():
            layer = getattr(module, name, None)
            found = [getattr(module, part, None) for part in parts]
            biases = [bias.detach() for bias in found if bias is not None]
            called = getattr(module, "qkv_bias_separate", False)  # the bias is added afterwards
            if not isinstance(layer, nn.Linear) or called or len(biases) < len(parts):
                continue
            if re.fullmatch(pattern, f"{path}.{name}"):
                layer.bias = nn.Parameter(torch.cat(biases))
                for part in parts:
                    setattr(module, part, None)
