"""Contrast: differences from the mean, multiplied."""

from typing import TYPE_CHECKING

import torch
from batchgeneratorsv2.transforms.intensity.contrast import ContrastTransform
from torch import Tensor

from nnunet_vit.augmentation.batched.picked import PickedTransform, channel_rows, column

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

PIXELS = (1, 2)  # the axes of (n, H, W)


class BatchedContrast(PickedTransform):
    """Multiplies each pixel's difference from its channel's mean."""

    of = ContrastTransform
    settings = frozenset(
        {"contrast_range", "preserve_range", "synchronize_channels", "p_per_channel"}
    )
    ranges = ("contrast_range",)

    def draw(self, image: Tensor) -> "Array | None":
        """Return channels with their factors."""
        drawn = self.transform.get_parameters(image=image)
        return channel_rows(drawn["apply_to_channel"], drawn["multipliers"])

    def changed(self, picked: Tensor, numbers: "Array", random: torch.Generator) -> Tensor:
        """Multiply, and keep between the channel's lowest and highest value where that is asked."""
        lowest, highest = picked.amin(PIXELS, True), picked.amax(PIXELS, True)
        mean = picked.mean(PIXELS, True)
        picked.sub_(mean).mul_(column(numbers[:, 0], picked)).add_(mean)
        if not self.transform.preserve_range:
            return picked
        return torch.minimum(torch.maximum(picked, lowest), highest)


BATCHED = (BatchedContrast,)
