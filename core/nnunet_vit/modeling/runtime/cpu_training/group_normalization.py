"""The gradient of group normalization where the channels of a pixel lie side by side."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from nnunet_vit.modeling.runtime.cpu_training.channels_last import is_channels_last

WIDE = 12  # channels of a group from which torch's kernel is the quicker one


def group_norm(
    usual: Callable[..., Tensor],
    images: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return group normalization of (B, C, ...), whose gradient torch's kernel is slow at.

    For maps (B, C, H, W) in bfloat16 with channels last and few channels a group that kernel takes
    up to five times as long as this one. Others are computed by `usual`.
    """
    is_slow = images.dtype == torch.bfloat16 and is_channels_last(images)
    is_narrow = images.shape[1] < WIDE * num_groups
    if weight is None or bias is None or not (is_slow and is_narrow):
        return usual(images, num_groups, weight, bias, eps)
    result: Tensor = _GroupNorm.apply(images, num_groups, weight, bias, eps)
    return result


class _Context(Protocol):
    groups: int
    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _GroupNorm(torch.autograd.Function):
    """torch's forward; backward by sums over pixels, in float32, and one pass over the map."""

    @staticmethod
    def forward(
        ctx: _Context, images: Tensor, groups: int, weight: Tensor, bias: Tensor, eps: float
    ) -> Tensor:
        batch, channels, height, width = images.shape
        output, mean, scale = torch.native_group_norm(
            images, weight, bias, batch, channels, height * width, groups, eps
        )
        ctx.save_for_backward(images, weight, mean.float(), scale.float())
        ctx.groups = groups
        return output

    @staticmethod
    def backward(ctx: _Context, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        images, weight, mean, scale = ctx.saved_tensors
        x, dy = _rows(images), _rows(gradients[0])
        batch, pixels, channels = x.shape
        of_ones = dy.sum(1, dtype=torch.float32)  # (B, C), as all that follow but for two
        of_values = (dy * x).sum(1, dtype=torch.float32)
        of_group = [
            (each * weight).view(batch, ctx.groups, -1).sum(2) for each in (of_ones, of_values)
        ]
        count = pixels * channels // ctx.groups
        slope = scale**3 * (mean * of_group[0] - of_group[1]) / count  # (B, groups), as the next
        offset = -slope * mean - of_group[0] * scale / count
        mean, scale, slope, offset = (
            each.repeat_interleave(channels // ctx.groups, dim=1)
            for each in (mean, scale, slope, offset)
        )
        rates = [each[:, None].to(x.dtype) for each in (offset, slope, scale * weight)]
        dx = torch.addcmul(rates[0], x, rates[1]).addcmul_(dy, rates[2])
        of_weight = (scale * (of_values - mean * of_ones)).sum(0)
        return _maps(dx, images), None, of_weight, of_ones.sum(0), None


def _rows(maps: Tensor) -> Tensor:
    """Return maps (B, C, H, W) as (B, H * W, C), as they lie in memory."""
    return maps.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1).flatten(1, 2)


def _maps(rows: Tensor, like: Tensor) -> Tensor:
    """Return rows (B, H * W, C) as maps (B, C, H, W)."""
    batch, _, height, width = like.shape
    return rows.view(batch, height, width, -1).permute(0, 3, 1, 2)
