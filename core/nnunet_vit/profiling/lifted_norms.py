"""The precision that a training would compute in, on tensors that claim to lie on a CPU."""

import torch
from torch import Tensor, nn


def lift_norms(network: nn.Module) -> None:
    """Let norms compute in float32 under a CPU's autocast too, as CUDA's does it.

    What a head keeps for backward is mostly norms and what follows them. Hooks, because modes are
    not in force where backward computes a block again.
    """
    for module in network.modules():
        if isinstance(module, nn.LayerNorm | nn.GroupNorm):
            module.register_forward_pre_hook(_lift)


def _lift(module: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    if not torch.is_autocast_enabled("cpu"):
        return None
    return tuple(argument.float() for argument in arguments)
