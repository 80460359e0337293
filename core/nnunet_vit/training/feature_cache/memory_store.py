"""Views in the memory of the training's process."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


class MemoryStore:
    """One tensor per name, with a row for each view."""

    def __init__(self, lots: int, batch: int) -> None:
        """Take no memory yet."""
        self._views, self._batch = lots * batch, batch
        self._rows: dict[str, Tensor] = {}
        self._there: set[int] = set()

    def __contains__(self, lot: int) -> bool:
        """Tell whether a lot is there."""
        return lot in self._there

    def put(self, lot: int, tensors: Mapping[str, Tensor]) -> None:
        """Keep a lot: each tensor has a row for each of its views."""
        for name, value in tensors.items():
            if name not in self._rows:  # untouched pages take no memory
                self._rows[name] = torch.empty((self._views, *value.shape[1:]), dtype=value.dtype)
            self._rows[name][lot * self._batch : (lot + 1) * self._batch] = value
        self._there.add(lot)

    def take(self, views: Sequence[int]) -> dict[str, Tensor]:
        """Return these views, in their order."""
        numbers = torch.tensor(views)
        return {name: rows.index_select(0, numbers) for name, rows in self._rows.items()}

    def clear(self) -> None:
        """Give the memory back."""
        self._rows.clear()
        self._there.clear()
