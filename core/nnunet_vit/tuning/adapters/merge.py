"""Adapters merged into their layers, so that a model needs neither peft nor them."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnunet_vit.errors import NumericsError
from nnunet_vit.tuning.adapters.adapter_names import BASE, layer_of
from nnunet_vit.tuning.adapters.copy_structure import copy_structure

if TYPE_CHECKING:
    from peft.tuners.tuners_utils import BaseTunerLayer
    from torch import Tensor, nn

LAYERS = "peft.tuners.tuners_utils"  # the module of the class that all adapted layers have


def merge_adapters(model: "nn.Module") -> None:
    """Merge each adapter into its layer and put the plain layer in its place.

    Works on any module that holds adapted layers, and changes nothing where there are none.

    Raises:
        NumericsError: the merged weights of a layer are not finite.
    """
    for name, layer in _adapted(model):
        _merge(name, layer)
    remove_adapters(model)


def remove_adapters(model: "nn.Module") -> None:
    """Put each adapted layer's plain layer back, without its adapter.

    A network that is built like this takes the state that `merged_state` returns.
    """
    for name, layer in _adapted(model):
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, layer.get_base_layer())


def merged_state(model: "nn.Module") -> "dict[str, Tensor]":
    """Return the state that the model would have after `merge_adapters`, and leave it as it is.

    All other tensors are the model's own, as in `state_dict()`; one layer at a time is merged.

    Raises:
        NumericsError: the merged weights of a layer are not finite.
    """
    layers = dict(_adapted(model))
    state: dict[str, Tensor] = {}
    for key, tensor in model.state_dict().items():
        name, _, rest = key.partition(BASE)
        if name not in layers:
            if not layer_of(key, layers):
                state[key] = tensor
        elif f"{name}.{rest}" not in state:
            merged = _merged_base(name, layers[name])
            state |= {f"{name}.{part}": value for part, value in merged.items()}
    return state


def _adapted(model: "nn.Module") -> "Iterator[tuple[str, BaseTunerLayer]]":
    peft = sys.modules.get(LAYERS)
    if peft is None:  # nobody has made an adapter, and importing it takes seconds
        return iter(())
    layers = list(model.named_modules())  # a list: layers are replaced while it is walked through
    return ((name, layer) for name, layer in layers if isinstance(layer, peft.BaseTunerLayer))


def _merged_base(name: str, layer: "BaseTunerLayer") -> "dict[str, Tensor]":
    # peft gives the layer that it merges new tensors; the twin takes them, and the layer stays
    other = copy_structure(layer, lambda tensor: tensor.detach())
    _merge(name, other)
    state: dict[str, Tensor] = other.get_base_layer().state_dict()
    return state


def _merge(name: str, layer: "BaseTunerLayer") -> None:
    import torch

    try:
        with torch.no_grad():
            layer.merge(safe_merge=True)
    except ValueError:  # peft found values that are not finite, and has left the layer as it was
        raise NumericsError(
            f"The adapter of {name} cannot be merged: the weights are not finite.",
            fix="resume from an earlier checkpoint, with a lower train.initial_lr.",
        ) from None
