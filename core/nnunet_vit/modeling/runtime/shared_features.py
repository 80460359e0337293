"""Folds of a run with a frozen backbone: its feature maps are computed once for all of them."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nnunet_vit.modeling.backbone import ViTBackbone

METHODS = ("feature_maps", "feature_maps_and_prefix")


class SharedFeatures:
    """What backbones with the same tensors have computed since `forget`.

    Heads that run the ViT block by block, or bring a ViT of their own, compute everything each.

    Attributes:
        shared: whether the networks' backbones are alike, so that anything is remembered.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        """Look at the networks' backbones, and let alike ones remember."""
        found = [_backbones_of(network) for network in networks]
        self._known: list[tuple[str, tuple[int, ...], Tensor, Any]] = []
        alike = all(len(own) == 1 and _same_tensors(own[0], found[0][0]) for own in found)
        self.shared = len(networks) > 1 and alike
        if self.shared:
            for (backbone,) in found:
                for name in METHODS:
                    setattr(backbone, name, self._remembering(name, getattr(backbone, name)))

    def forget(self) -> None:
        """Forget everything: another batch follows."""
        self._known.clear()

    def _remembering(self, name: str, compute: Callable[..., Any]) -> Callable[..., Any]:
        def remembered(images: Tensor, layers: Sequence[int]) -> Any:  # noqa: ANN401 - as compute
            for method, blocks, seen, features in self._known:
                # a head may change the images before the backbone sees them
                if (method, blocks) == (name, tuple(layers)) and torch.equal(seen, images):
                    return _copied(features)
            features = compute(images, layers)
            self._known.append((name, tuple(layers), images, features))
            return _copied(features)

        return remembered


def _backbones_of(network: nn.Module) -> list[ViTBackbone]:
    return [module for module in network.modules() if isinstance(module, ViTBackbone)]


def _same_tensors(one: nn.Module, other: nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(
        value.data_ptr() == second[name].data_ptr() and value.shape == second[name].shape
        for name, value in first.items()
    )


def _copied(features: Any) -> Any:  # noqa: ANN401 - tensors in lists and tuples
    """Return the same features: heads may work in place."""
    if isinstance(features, Tensor):
        return features.clone()
    return type(features)(_copied(part) for part in features)
