"""The types that CUDA's autocast computes in, on tensors that claim to lie on a CPU."""

from collections.abc import Callable, Collection
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from nnunet_vit.files.json_file import JsonObject


def lift_norms(network: nn.Module) -> None:
    """Let norms compute in float32 under a CPU's autocast too, as CUDA's does it.

    What a head keeps for backward is mostly norms and what follows them. Hooks, because modes are
    not in force where backward computes a block again.
    """
    for module in network.modules():
        if isinstance(module, nn.LayerNorm | nn.GroupNorm):
            module.register_forward_pre_hook(_lift)


class LiftedInterpolation(TorchFunctionMode):
    """Lets maps be interpolated in float32 under a CPU's autocast too, as CUDA's does it.

    No block of a ViT interpolates: what checkpointing computes again does not need the mode.
    """

    def __torch_function__(
        self,
        function: Callable[..., object],
        types: Collection[type],
        args: tuple[object, ...] = (),
        kwargs: JsonObject | None = None,
    ) -> object:
        """Call the function."""
        if function is functional.interpolate and torch.is_autocast_enabled("cpu"):
            args = tuple(each.float() if _is_half(each) else each for each in args)
        return function(*args, **(kwargs or {}))


def _lift(module: nn.Module, arguments: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    if not torch.is_autocast_enabled("cpu"):
        return None
    return tuple(argument.float() for argument in arguments)


def _is_half(value: object) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and value.dtype == torch.bfloat16
