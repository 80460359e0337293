"""A second module of the same structure on other tensors."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor, nn

Module = TypeVar("Module", bound="nn.Module")


def copy_structure(module: Module, tensor_of: "Callable[[Tensor], Tensor]") -> Module:
    """Return a copy of a module whose tensors are what `tensor_of` makes of the module's."""
    from torch import nn

    # what deepcopy finds in its memo is not copied: no tensor is, unless tensor_of does
    memo: dict[int, object] = {}
    for parameter in module.parameters():
        other = tensor_of(parameter)
        memo[id(parameter)] = nn.Parameter(other, requires_grad=parameter.requires_grad)
    for buffer in module.buffers():
        memo[id(buffer)] = tensor_of(buffer)
    return copy.deepcopy(module, memo)
