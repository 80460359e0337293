"""A model that is ready to predict: networks of its folds and nnU-Net's plans."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from nnunetv2.utilities.label_handling.label_handling import LabelManager
    from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager
    from torch import Tensor, nn


@dataclass(frozen=True)
class LoadedModel:
    """Networks, and what nnU-Net reads, samples and writes images by.

    Attributes:
        networks: of the folds, whose logits are averaged.
        plans: of the model.
        configuration: that was trained.
        description: dataset.json.
        mirroring_axes: of a tile, over which prediction may average; None: over none.
    """

    networks: "tuple[nn.Module, ...]"
    plans: "PlansManager"
    configuration: "ConfigurationManager"
    description: JsonObject
    mirroring_axes: tuple[int, ...] | None

    @property
    def labels(self) -> "LabelManager":
        """Which output stands for which label or region."""
        return self.plans.get_label_manager(self.description)


def networks_of_folds(
    network: "nn.Module", weights: "Sequence[Mapping[str, Tensor]]"
) -> "tuple[nn.Module, ...]":
    """Return a network per fold; what all folds have in common is in memory once.

    Args:
        network: to load them into; it becomes the first fold's.
        weights: of the folds.

    Raises:
        RuntimeError: they are not those of the network.
    """
    networks = [network, *(copy.deepcopy(network) for _ in weights[1:])]
    first = weights[0]
    for own, state in zip(networks, weights, strict=True):
        shared = {name: _shared(value, first.get(name)) for name, value in state.items()}
        own.load_state_dict(shared, assign=True)
    return tuple(networks)


def _shared(value: "Tensor", other: "Tensor | None") -> "Tensor":
    same = other is not None and value.shape == other.shape and value.dtype == other.dtype
    return other if other is not None and same and bool((value == other).all()) else value
