"""Whether the processor computes in bfloat16, which its name does not tell: it is measured."""

import functools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor
from torch.nn import functional

ROWS, WIDTH, ROUNDS = 256, 768, 7  # a linear layer of a ViT, some tokens: 20 ms in all
MOST = 0.8  # of float32's time: processors with units for it take a fifth to a half, others more


@functools.cache
def is_quick_in_bfloat16() -> bool:
    """Tell whether the processor is clearly quicker in bfloat16 than in float32.

    The answer is the same each time on one machine, also a busy one: the gap is wide, the rounds
    take turns and the quickest one counts. A training that is resumed computes as it did.
    """
    return share_of_float32() < MOST


def share_of_float32() -> float:
    """Measure the time of a linear layer in bfloat16 as a share of that in float32, on one core.

    In a thread of its own: the caller may be within a mode of torch's, such as that of tensors
    without memory, in which nothing would be computed and all would take the same time.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_share).result()


def _share() -> float:
    usual = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            seconds = _quickest([_layer(torch.float32), _layer(torch.bfloat16)])
    finally:
        torch.set_num_threads(usual)
    return seconds[1] / seconds[0]


def _layer(dtype: torch.dtype) -> Callable[[], Tensor]:
    tokens, weight = torch.ones(ROWS, WIDTH, dtype=dtype), torch.ones(WIDTH, WIDTH, dtype=dtype)
    return lambda: functional.linear(tokens, weight)


def _quickest(layers: list[Callable[[], Tensor]]) -> list[float]:
    """Return the least seconds of each; the first round, which prepares kernels, does not count."""
    rounds = [[_seconds(layer) for layer in layers] for _ in range(1 + ROUNDS)]
    return [min(times) for times in zip(*rounds[1:], strict=True)]


def _seconds(layer: Callable[[], Tensor]) -> float:
    before = time.perf_counter()
    layer()
    return time.perf_counter() - before
