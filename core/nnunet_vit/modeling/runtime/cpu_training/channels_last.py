"""Convolutions and interpolations with the channels of a pixel side by side."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


# Any: the convolution's own arguments, handed on as they come
def convolution(usual: Callable[..., Tensor], images: Tensor, *given: Any, **more: Any) -> Tensor:  # noqa: ANN401
    """Return what `usual` does for images (B, C, H, W), whose channels are made the innermost axis.

    What follows a convolution has its order of axes: interpolation and its gradient take a tenth of
    the time then. Weights stay as they are: oneDNN brings them into an order of its own anyway.
    """
    if images.dim() == 4:
        images = _with_channels_last(images)
    return usual(images, *given, **more)


def interpolation(usual: Callable[..., Tensor], images: Tensor, *given: Any, **more: Any) -> Tensor:  # noqa: ANN401
    """Return what `usual` does, with a gradient that has the order of axes that its result has.

    Behind a concatenation it is a part of a larger map, and torch's kernel goes through such a one
    by another way, which takes several times as long.
    """
    output = usual(images, *given, **more)
    if output.requires_grad and is_channels_last(output):
        output.register_hook(_with_channels_last)  # type: ignore[no-untyped-call]
    return output


def is_channels_last(maps: Tensor) -> bool:
    """Tell whether maps (B, C, H, W) lie with the channels innermost, and in no other way."""
    return (
        maps.dim() == 4
        and not maps.is_contiguous()
        and maps.is_contiguous(memory_format=torch.channels_last)
    )


def _with_channels_last(maps: Tensor) -> Tensor:
    return maps.contiguous(memory_format=torch.channels_last)
