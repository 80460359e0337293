"""Brightness, which multiplies."""

from typing import TYPE_CHECKING

import torch
from batchgeneratorsv2.transforms.intensity.brightness import MultiplicativeBrightnessTransform
from torch import Tensor

from nnunet_vit.augmentation.batched.picked import PickedTransform, channel_rows, column

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


class BatchedBrightness(PickedTransform):
    """Multiplies channels."""

    of = MultiplicativeBrightnessTransform
    settings = frozenset({"multiplier_range", "synchronize_channels", "p_per_channel"})
    ranges = ("multiplier_range",)

    def draw(self, image: Tensor) -> "Array | None":
        """Return channels with their factors."""
        drawn = self.transform.get_parameters(image=image)
        return channel_rows(drawn["apply_to_channel"], drawn["multipliers"])

    def changed(self, picked: Tensor, numbers: "Array", random: torch.Generator) -> Tensor:
        """Multiply each pixel."""
        return picked.mul_(column(numbers[:, 0], picked))


BATCHED = (BatchedBrightness,)
