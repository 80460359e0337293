"""Puts quicker ways in the place of torch's functions while a step is computed on a CPU.

A mode and no classes of layers: heads of other packages call the same functions as those here, and
the network stays as it is for checkpoints, copies and prediction.
"""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.runtime.cpu_training.bfloat16_attention import attention
from nnunet_vit.modeling.runtime.cpu_training.channels_last import convolution
from nnunet_vit.modeling.runtime.cpu_training.group_normalization import group_norm

# each takes the function that it stands for, then that one's arguments, and may call it
Substitute = Callable[..., Any]
SUBSTITUTES: dict[Callable[..., Any], Substitute] = {
    functional.scaled_dot_product_attention: attention,
    functional.group_norm: group_norm,
    functional.conv2d: convolution,
    functional.conv_transpose2d: convolution,
}


def quick_steps(device: torch.device, *, compiled: bool = False) -> AbstractContextManager[object]:
    """Return a context for forward and backward of a training step; on a GPU it does nothing.

    Backward belongs inside: what checkpointing computes again must be computed in the same way.

    Args:
        device: of the network.
        compiled: whether torch's compiler chooses how to compute; then it does nothing either.
    """
    return QuickSteps() if device.type == "cpu" and not compiled else nullcontext()


class QuickSteps(TorchFunctionMode):
    """Calls the substitute where a function has one."""

    def __torch_function__(
        self,
        function: Callable[..., object],
        types: Collection[type],
        args: tuple[object, ...] = (),
        kwargs: JsonObject | None = None,
    ) -> object:
        """Call the function, or what stands for it."""
        substitute = SUBSTITUTES.get(function)
        if substitute is None:
            return function(*args, **(kwargs or {}))
        return substitute(function, *args, **(kwargs or {}))
