"""The networks of all folds, as one thread uses them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nnunet_vit.modeling.runtime.compiling import compiled_where_asked
from nnunet_vit.modeling.runtime.network_copies import copied
from nnunet_vit.modeling.runtime.onednn_linear import with_onednn
from nnunet_vit.modeling.runtime.placement import place
from nnunet_vit.modeling.runtime.shared_features import SharedFeatures

Networks = tuple[nn.Module, ...]


class Team:
    """Networks that compute one batch after the other."""

    def __init__(
        self, networks: Networks, tile_axes: int, device: torch.device, *, in_turn: bool
    ) -> None:
        """Take networks in the format that `format_of` says.

        Args:
            networks: of the folds.
            tile_axes: how many axes a tile has.
            device: where networks and views are.
            in_turn: it has memory for one network only; the others are on the CPU.
        """
        with_onednn(networks, device)
        self._features = SharedFeatures(networks)
        self._networks = [compiled_where_asked(network, device) for network in networks]
        self._format, self._in_turn = format_of(tile_axes, device), in_turn

    @torch.inference_mode()
    def logits(self, views: Tensor) -> Tensor:
        """Return the logits (networks, B, outputs, *tile) of views (B, C, *tile)."""
        views = views.contiguous(memory_format=self._format)
        # nnU-Net's own networks compute in half precision on a GPU; ours close what is around them
        with torch.autocast(views.device.type, enabled=views.device.type == "cuda"):
            self._features.forget()
            return torch.stack([self._of(network, views) for network in self._networks])

    def _of(self, network: nn.Module, views: Tensor) -> Tensor:
        if self._in_turn:
            place([network], views.device, self._format)
        try:
            logits: Tensor = network(views)
            return logits.float()
        finally:
            if self._in_turn:
                place([network], torch.device("cpu"), self._format)


def format_of(tile_axes: int, device: torch.device) -> torch.memory_format:
    """Return the memory format that is fastest for tiles with so many axes."""
    if tile_axes != 2 or device.type == "cuda":  # dpt takes 64 ms there with the other, else 54 ms
        return torch.contiguous_format
    return torch.channels_last


def copies_of(networks: Sequence[nn.Module], most: int) -> list[Networks]:
    """Return the networks and copies of them, which share their parameters.

    Args:
        networks: of the folds.
        most: how many times at most they are returned.

    Returns:
        The networks alone where they cannot be copied.
    """
    found = [tuple(networks)]
    while len(found) < most:
        copies = [copied(network) for network in networks]
        whole = tuple(network for network in copies if network is not None)
        if len(whole) < len(networks):
            break
        found.append(whole)
    return found
