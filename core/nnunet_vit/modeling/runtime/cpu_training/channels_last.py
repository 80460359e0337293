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
        images = images.contiguous(memory_format=torch.channels_last)
    return usual(images, *given, **more)


def interpolation(usual: Callable[..., Tensor], images: Tensor, *given: Any, **more: Any) -> Tensor:  # noqa: ANN401
    """Return what `usual` does, with a gradient that has the order of axes that its result has.

    Behind a concatenation it is a part of a larger map, and torch's kernel goes through such a one
    by another way, which takes five times as long.
    """
    output = usual(images, *given, **more)
    if output.dim() != 4 or not output.requires_grad or output.is_contiguous():
        return output
    if output.is_contiguous(memory_format=torch.channels_last):
        output = _ChannelsLastGradient.apply(output)
    return output


class _ChannelsLastGradient(torch.autograd.Function):
    """The map as it is; its gradient with the channels of a pixel side by side."""

    @staticmethod
    def forward(ctx: object, maps: Tensor) -> Tensor:
        return maps.view_as(maps)

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        return gradients[0].contiguous(memory_format=torch.channels_last)
