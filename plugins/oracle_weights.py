"""Weights of other implementations, to compare a decoder with: named as ours, and at random."""

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

Names = Iterable[tuple[str, str]]  # a regular expression, and what stands in for it


def named_as_ours(name: str, names: Names) -> str:
    """Return one of their names in ours, one replacement after the other."""
    for pattern, replacement in names:
        name = re.sub(pattern, replacement, name)
    return name


def renamed(state: Mapping[str, Tensor], names: Names) -> dict[str, Tensor]:
    """Return their state under our names."""
    return {named_as_ours(name, names): value for name, value in state.items()}


@torch.no_grad()
def randomize(module: nn.Module) -> None:
    """Give statistics and affine parameters that are not trivial; layers keep the scale."""
    for name, value in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if value.dim() > 1:
            nn.init.kaiming_normal_(value)
        else:
            value.uniform_(0.5, 1.5)
