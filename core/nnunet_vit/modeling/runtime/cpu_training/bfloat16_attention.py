"""The gradient of attention in bfloat16 as products of matrices.

torch's own kernel for CPUs takes three to five times as long, and longer than in float32.
"""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

PAIRS = 2**24  # of tokens, whose scores are there at a time


# Any: the function's other arguments, handed on as they come
def attention(
    usual: Callable[..., Tensor],
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *given: Any,  # noqa: ANN401
    **more: Any,  # noqa: ANN401
) -> Tensor:
    """Return scaled dot-product attention; `usual` computes what is not plain and in bfloat16.

    Shapes: query, key and value (B, heads, N, width) to the same shape.
    """
    three = (query, key, value)
    # no mask, no dropout, torch's own scale; a mask cannot be asked for its truth
    plain = not given and all(
        value is None or (not isinstance(value, Tensor) and not value) for value in more.values()
    )
    alike = query.dim() == 4 and query.shape == key.shape == value.shape
    if not plain or not alike or any(each.dtype != torch.bfloat16 for each in three):
        return usual(query, key, value, *given, **more)
    result: Tensor = _Attention.apply(usual, *three)
    return result


class _Context(Protocol):
    saved_tensors: tuple[Tensor, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Attention(torch.autograd.Function):
    """Keeps what the fused kernels keep, but for the softmax's sums: scores are computed again."""

    @staticmethod
    def forward(
        ctx: _Context,
        usual: Callable[..., Tensor],
        query: Tensor,
        key: Tensor,
        value: Tensor,
    ) -> Tensor:
        output = usual(query, key, value)
        ctx.save_for_backward(query, key, value, output)
        return output

    @staticmethod
    def backward(ctx: _Context, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, output = ctx.saved_tensors
        (gradient,) = gradients
        _, heads, tokens, _ = query.shape
        images = max(1, PAIRS // (heads * tokens * tokens))
        each_split = (torch.split(t, images) for t in (query, key, value, output, gradient))
        parts = zip(*each_split, strict=True)
        found = [_gradients(*part) for part in parts]
        return (None, *(torch.cat(each) for each in zip(*found, strict=True)))


def _gradients(
    query: Tensor, key: Tensor, value: Tensor, output: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of query, key and value, by the formulas of FlashAttention.

    https://arxiv.org/abs/2205.14135, appendix B.
    """
    scale = query.shape[-1] ** -0.5
    shares = torch.softmax((query * scale) @ key.mT, dim=-1, dtype=torch.float32)
    through = (gradient * output).sum(dim=-1, keepdim=True, dtype=torch.float32)
    of_scores = (gradient @ value.mT - through).mul_(shares).to(query.dtype)
    of_value = shares.to(query.dtype).mT @ gradient
    return (of_scores @ key) * scale, of_scores.mT @ (query * scale), of_value
