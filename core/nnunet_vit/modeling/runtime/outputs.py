"""What a head returns while it trains: tensors in lists, tuples and dictionaries, batch first."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nnunet_vit.errors import PluginError
from nnunet_vit.hookspecs import HeadOutput


def as_float32(outputs: HeadOutput) -> HeadOutput:
    """Return the same outputs with every floating tensor as float32."""
    return _mapped(lambda parts: _float32(parts[0]), [outputs])


def joined(parts: Sequence[HeadOutput]) -> HeadOutput:
    """Return the outputs of a batch from those of its parts."""
    return _mapped(lambda tensors: torch.cat(list(tensors)), parts)


def _float32(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _mapped(make: Callable[[Sequence[Tensor]], Tensor], parts: Sequence[HeadOutput]) -> HeadOutput:
    first = parts[0]
    if isinstance(first, Tensor):
        return make(parts)
    if isinstance(first, dict):
        return {key: _mapped(make, [part[key] for part in parts]) for key in first}
    if isinstance(first, list | tuple):
        return [_mapped(make, items) for items in zip(*parts, strict=True)]
    raise PluginError(
        f"The head's training output holds {type(first).__name__}; allowed: tensors in lists, "
        "tuples and dictionaries."
    )
