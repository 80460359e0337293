"""A model that is ready to predict: networks of its folds and nnU-Net's plans."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nnunet_vit.errors import ModelError, message_of
from nnunet_vit.files.json_file import JsonObject

if TYPE_CHECKING:
    from pathlib import Path

    from nnunetv2.utilities.label_handling.label_handling import LabelManager
    from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager
    from torch import Tensor, nn

State = Mapping[str, "Tensor"]


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

    @cached_property
    def labels(self) -> "LabelManager":
        """Which output stands for which label or region."""
        return self.plans.get_label_manager(self.description)

    @property
    def ending(self) -> str:
        """Of images and masks."""
        return str(self.description["file_ending"])


def networks_of_folds(
    build: "Callable[[], nn.Module]", weights: Sequence[State], path: "Path"
) -> "tuple[nn.Module, ...]":
    """Return a network per fold; tensors that are alike in all of them are in memory once.

    Args:
        build: returns a network to load them into; it is copied where that is possible.
        weights: of the folds; they are the networks' own afterwards.
        path: of the model, for the error.

    Raises:
        ModelError: the weights are not those of the network.
    """
    from nnunet_vit.modeling.runtime.network_copies import copied

    network, (first, *others) = build(), weights
    networks = [network, *(copied(network) or build() for _ in others)]
    try:
        networks[0].load_state_dict(first, assign=True)
        for own, state in zip(networks[1:], others, strict=True):
            own.load_state_dict(_sharing(state, first), assign=True)
    except (RuntimeError, TypeError, AttributeError) as error:  # torch lists every key
        reason = message_of(error, 200)
        raise ModelError(
            f"{path} cannot be loaded: {reason}.", fix="copy the model folder again."
        ) from error
    return tuple(networks)


def _sharing(state: State, first: State) -> State:
    """Return a state with the tensors of the first where they are alike."""
    import torch

    return {
        name: first[name] if name in first and torch.equal(value, first[name]) else value
        for name, value in state.items()
    }
