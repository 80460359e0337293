"""The losses of training steps; on a GPU they arrive while it computes on."""

import math
from collections import deque
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nnunet_vit.errors import NumericsError
from nnunet_vit.training.step_clock import recorded

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


class StepLosses:
    """Takes each step's loss to the CPU; no step but the first one waits for a GPU.

    Attributes:
        newest: that has arrived; not a number before the first one.
    """

    def __init__(self, device: torch.device) -> None:
        """Take none yet."""
        self._device = device
        self._coming: deque[tuple[Array, torch.cuda.Event | None]] = deque()
        self.newest = math.nan

    def add(self, loss: Tensor) -> "Array":
        """Take a step's loss and return its value, which a GPU has yet to write there."""
        on_gpu = self._device.type == "cuda"
        value: Array = loss.detach().to("cpu", non_blocking=on_gpu).numpy()  # pinned, so it may be
        self._coming.append((value, recorded(self._device) if on_gpu else None))
        return value

    def check(self, epoch: int, all_of_them: bool = False) -> None:
        """Look at the losses that have arrived since the last time.

        Args:
            epoch: whose they are, counted from 0.
            all_of_them: wait for those that have not.

        Raises:
            NumericsError: one is not finite.
        """
        while self._coming:
            value, event = self._coming[0]
            if event is not None and not event.query():  # type: ignore[no-untyped-call]
                if not all_of_them and not math.isnan(self.newest):
                    return
                event.synchronize()
            self._coming.popleft()
            self.newest = float(value)
            if not math.isfinite(self.newest):
                raise NumericsError(
                    f"The training loss became {value} in epoch {epoch}.",
                    fix="lower train.initial_lr or train.gradient_clip; "
                    "the last checkpoint is kept.",
                )
