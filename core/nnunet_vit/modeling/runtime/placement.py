"""Networks of several folds on a device: tensors that they share are there once."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def place(
    networks: Sequence[nn.Module], device: torch.device, memory_format: torch.memory_format
) -> None:
    """Move networks to a device; tensors of one storage stay of one storage.

    `Module.to` would give each network a copy of its own.

    Args:
        networks: of one architecture.
        device: where to.
        memory_format: of tensors with four axes.
    """
    moved: dict[tuple[int, torch.Size, tuple[int, ...]], tuple[Tensor, Tensor]] = {}

    def move(tensor: Tensor) -> Tensor:
        key = (tensor.data_ptr(), tensor.shape, tensor.stride())
        if key not in moved:
            wanted = memory_format if tensor.ndim == 4 else torch.preserve_format
            # the old one is kept until all are moved, or its address could be another's
            moved[key] = (tensor.detach(), tensor.to(device, memory_format=wanted))
        return moved[key][1]

    for network in networks:
        network._apply(move)  # type: ignore[no-untyped-call]
