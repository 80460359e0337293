"""Linear layers of oneDNN: on processors with AVX-512, torch's own take up to twice as long.

torch's go to MKL, which leaves half of the width of AMD's processors unused.
"""

import functools
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional


class OneDnnLinear(nn.Linear):
    """A linear layer whose forward pass is oneDNN's, in inference and single precision."""

    def forward(self, input: Tensor) -> Tensor:
        """Map (..., in_features) to (..., out_features)."""
        plain = input.dtype == self.weight.dtype == torch.float32 and input.device.type == "cpu"
        if torch.is_grad_enabled() or torch.is_autocast_enabled("cpu") or not plain:
            return super().forward(input)
        return _linear(input, self.weight, self.bias)


def with_onednn(networks: Iterable[nn.Module], device: torch.device) -> None:
    """Let the linear layers of networks that predict compute with oneDNN where that is faster.

    Layers of a class of their own, as those that torch or peft derive, stay as they are.
    """
    if device.type != "cpu" or not is_faster():
        return
    for network in networks:
        for module in network.modules():
            if type(module) is nn.Linear:
                module.__class__ = OneDnnLinear


@functools.cache
def is_faster() -> bool:
    """Tell whether the processor has AVX-512 and torch has the operation, which is its compiler's.

    The answer is the same each time on one machine: a prediction that is resumed gives the same
    masks.
    """
    return torch.backends.cpu.get_cpu_capability() == "AVX512" and _computes()


def _computes() -> bool:
    given, weight, bias = torch.ones(2, 3), torch.full((4, 3), 0.5), torch.arange(4.0)
    try:
        with torch.inference_mode():
            found = _linear(given, weight, bias)
    except (AttributeError, RuntimeError):  # another version's: without it, or called otherwise
        return False
    return torch.equal(found, functional.linear(given, weight, bias))


def _linear(given: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    found: Tensor = torch.ops.mkldnn._linear_pointwise(given, weight, bias, "none", [], "")
    return found
