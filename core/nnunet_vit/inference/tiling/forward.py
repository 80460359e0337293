"""The networks' forward passes, in batches that are halved where memory is short."""

import threading
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from nnunet_vit.errors import counted
from nnunet_vit.modeling.runtime.placement import place
from nnunet_vit.modeling.runtime.shared_features import SharedFeatures

VOXELS = {"cpu": 2**18, "cuda": 2**22}  # of a batch to begin with: larger ones are no faster
NO_MEMORY = ("can't allocate memory", "not enough memory")


class Forward:
    """Networks on a device.

    Attributes:
        device: to compute on.
        networks: how many there are.
        batch: how many tiles they take at once.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        tile: Sequence[int],
        device: torch.device,
        tell: Callable[[str], None],
    ) -> None:
        """Move the networks there, in the memory format that is fastest for tiles of their size."""
        self.device, self.networks, self._tell = device, len(networks), tell
        self._format = torch.channels_last if len(tile) == 2 else torch.contiguous_format
        self._own = [network.eval() for network in networks]
        self._features, self._one_batch = SharedFeatures(self._own), threading.Lock()
        place(self._own, device, self._format)
        most = VOXELS.get(device.type, VOXELS["cpu"])
        self.batch = max(1, most // torch.Size(tile).numel())

    def __call__(self, views: Tensor) -> Tensor:
        """Return the logits (networks, B, outputs, *tile) of views (B, C, *tile).

        Raises:
            RuntimeError: not even a single view fits into memory.
        """
        while True:
            try:
                return torch.cat(
                    [self._logits(part) for part in torch.split(views, self.batch)], dim=1
                )
            except (RuntimeError, MemoryError) as error:
                if self.batch == 1 or not is_of_memory(error):
                    raise
            self.batch //= 2
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            self._tell(f"Memory is short: {counted(self.batch, 'tile')} at once from now on.")

    def _logits(self, views: Tensor) -> Tensor:
        views = views.contiguous(memory_format=self._format)
        # nnU-Net's own networks compute in half precision on a GPU; ours close what is around them
        half = torch.autocast(self.device.type, enabled=self.device.type == "cuda")
        with self._one_batch, half:  # networks that share features, and threads that share networks
            self._features.forget()
            return torch.stack([network(views).float() for network in self._own])


def is_of_memory(error: Exception) -> bool:
    """Tell whether an error says that memory ran out."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in NO_MEMORY)
