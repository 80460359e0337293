"""Layers that drop something at random in training."""

from torch import nn

RATES = ("p", "drop_prob", "prob")  # of torch's dropout, timm's paths and patches


def dropping_layers(module: nn.Module) -> list[str]:
    """Return the names of a module's layers that drop something, whatever mode it is in."""
    return [
        name
        for name, layer in module.named_modules()
        if "Drop" in type(layer).__name__ and any(getattr(layer, rate, 0) for rate in RATES)
    ]
