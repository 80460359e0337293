"""The precision that a training would compute in, on tensors that claim to lie on a CPU."""

import torch
from torch import Tensor, nn

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.modeling.runtime.precision import computes_in_bfloat16


def in_bfloat16(run: ViTnnUNetConfig, device: str) -> bool:
    """Tell whether a run computes in bfloat16 on a device: cuda (one that has it), cpu or mps."""
    return computes_in_bfloat16(run.model.precision, device)


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
