"""Scaled dot-product attention by one formula, whatever kernel torch has for it.

torch chooses among its kernels by processor, type, mask and its own version, and they differ: some
keep a map of all pairs of tokens, some have no formula in torch's counter. Here none of them runs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

Count = Callable[[int], None]
# autograd's key is the one that calls reach, the plain key the one under inference_mode
KEYS = ("AutogradCPU", "CPU")


@contextmanager
def counted_attention(count: Count) -> Iterator[None]:
    """Replace scaled_dot_product_attention on CPU tensors, and tell `count` its operations.

    A rule of torch's dispatcher, not a mode: no mode is in force where backward computes a
    checkpointed block again. Layers of torch that have a kernel of their own for evaluation
    (nn.MultiheadAttention) take the way through this function.

    What is kept for backward is what the fused kernels of a GPU keep: query, key, value, bias,
    output and one float32 number per query and head (the logarithm of the softmax's sum), never a
    map of all pairs. Operations are theirs too: backward computes the scores again, and a mask
    saves none. Left out are the kernels' workspace and the padding of odd widths. Where no fused
    kernel takes the tensors (not four dimensions, other batches), the map is computed and kept.
    """
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.library._scoped_library("aten", "IMPL") as rules:
            for key in KEYS:
                rules.impl("scaled_dot_product_attention", partial(_attention, count), key)
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def _attention(
    count: Count,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Stand for torch's function of that name: the shape and the cost of its result.

    Args:
        count: is told the operations.
        query: (..., heads, L, E).
        key: (..., heads, S, E); with `enable_gqa` of fewer heads.
        value: (..., heads, S, F), with the heads of `key`.
        attn_mask: broadcast to (..., heads, L, S); bool, or added to the scores.
        dropout_p: changes no shape: the fused kernels draw it again in backward.
        is_causal: changes no shape.
        scale: changes no shape.
        enable_gqa: whether heads of `key` and `value` serve several heads of `query`.

    Returns:
        (..., heads, L, F).
    """
    bias = _as_bias(attn_mask, query) if attn_mask is not None else None
    if not _fused(query, key, value, enable_gqa):
        scores = query @ key.mT
        return torch.softmax(scores if bias is None else scores + bias, dim=-1) @ value
    if bias is not None:
        bias = bias.expand(*query.shape[:-1], key.shape[-2])
    result: Tensor = _Fused.apply(query, key, value, bias, count)
    return result


def _as_bias(mask: Tensor, query: Tensor) -> Tensor:
    """Return what is added to the scores; a boolean mask becomes a tensor, as on GPUs."""
    if mask.dtype is not torch.bool:
        return mask
    bias = torch.zeros_like(mask, dtype=query.dtype)
    return bias.masked_fill_(mask.logical_not(), float("-inf"))


def _fused(query: Tensor, key: Tensor, value: Tensor, grouped: bool) -> bool:
    """Tell whether fused kernels take these shapes."""
    if not query.dim() == key.dim() == value.dim() == 4:
        return False
    same_width = query.shape[-1] == key.shape[-1] and key.shape[:-1] == value.shape[:-1]
    same_heads = query.shape[1] == key.shape[1] or (grouped and not query.shape[1] % key.shape[1])
    return same_width and same_heads and query.shape[0] == key.shape[0]


class _Context(Protocol):
    """What autograd hands to forward and backward, with what forward leaves there."""

    maps: int
    count: Count
    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]

    def save_for_backward(self, *tensors: Tensor | None) -> None: ...


class _Fused(torch.autograd.Function):
    """Attention without a map of all pairs."""

    @staticmethod
    def forward(
        ctx: _Context,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        bias: Tensor | None,
        count: Count,
    ) -> Tensor:
        """Make the output in the layout of the fused kernels: tokens before heads."""
        batch, heads, rows, width = query.shape
        ctx.maps = batch * heads * rows * key.shape[-2]
        ctx.count = count
        count(2 * ctx.maps * (width + value.shape[-1]))
        output = query.new_empty(batch, rows, heads, value.shape[-1]).transpose(1, 2)
        sums = query.new_empty(batch, heads, rows, dtype=torch.float32)
        ctx.save_for_backward(query, key, value, bias, output, sums)
        return output

    @staticmethod
    def backward(ctx: _Context, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Make all gradients at once; that of a bias is a map of all pairs."""
        query, key, value, bias, _, _ = ctx.saved_tensors
        ctx.count(2 * ctx.maps * (3 * query.shape[-1] + 2 * value.shape[-1]))
        of_inputs = [torch.empty_like(tensor) for tensor in (query, key, value)]
        if not ctx.needs_input_grad[3]:
            return (*of_inputs, None, None)
        return (*of_inputs, bias.new_empty(bias.shape), None)
