"""Which tensors of a network belong to adapters, told by peft's names."""

from collections.abc import Collection, Iterable

BASE = ".base_layer."  # peft's name for the layer that it wraps, whatever the kind of adapter


def adapted_layers(names: Iterable[str]) -> set[str]:
    """Return the full names of the layers that have adapters, from names of tensors."""
    return {name.partition(BASE)[0] for name in names if BASE in name}


def layer_of(name: str, layers: Collection[str]) -> str:
    """Return the adapted layer that a tensor of an adapter belongs to; '' where it is of none."""
    if BASE in name:
        return ""
    inner = name.rpartition(".")[0]
    while inner and inner not in layers:
        inner = inner.rpartition(".")[0]
    return inner
