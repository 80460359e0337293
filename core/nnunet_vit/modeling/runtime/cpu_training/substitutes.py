"""Puts quicker ways in the place of torch's functions while a step is computed on a CPU.

Functions and no classes of layers: heads of other packages call the same ones as those here, and
the network stays as it is for checkpoints, copies and prediction. A mode of torch's functions would
not do: newer versions leave it while backward runs, where checkpointing computes blocks again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch.nn import functional

from nnunet_vit.modeling.runtime.cpu_training.bfloat16_attention import attention
from nnunet_vit.modeling.runtime.cpu_training.channels_last import convolution, interpolation
from nnunet_vit.modeling.runtime.cpu_training.group_normalization import group_norm

# by the name in torch.nn.functional; each takes the function that it stands for, then its arguments
SUBSTITUTES: dict[str, Callable[..., Any]] = {
    "scaled_dot_product_attention": attention,
    "group_norm": group_norm,
    "conv2d": convolution,
    "conv_transpose2d": convolution,
    "interpolate": interpolation,
}


@contextmanager
def quick_steps(device: torch.device, *, compiled: bool = False) -> Iterator[None]:
    """Compute forward and backward of a training step quickly; on a GPU nothing changes.

    Backward belongs inside: what checkpointing computes again must be computed in the same way.

    Args:
        device: of the network.
        compiled: whether torch's compiler chooses how to compute; then nothing changes either.
    """
    if device.type != "cpu" or compiled:
        yield
        return
    usual = {name: getattr(functional, name) for name in SUBSTITUTES}
    try:
        for name, substitute in SUBSTITUTES.items():
            setattr(functional, name, partial(substitute, usual[name]))
        yield
    finally:
        for name, function in usual.items():
            setattr(functional, name, function)
