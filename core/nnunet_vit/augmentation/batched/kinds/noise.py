"""Gaussian noise."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
from torch import Tensor

from nnunet_vit.augmentation.batched.picked import PickedTransform, column

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


class BatchedNoise(PickedTransform):
    """Adds noise, whose standard deviation is drawn; its pixels are drawn on the device."""

    of = GaussianNoiseTransform
    settings = frozenset({"noise_variance", "p_per_channel", "synchronize_channels"})
    ranges = ("noise_variance",)

    def draw(self, image: Tensor) -> "Array | None":
        """Return channels with their standard deviations."""
        drawn = self.transform.get_parameters(image=image)
        channels = drawn["apply_idx"].numpy()
        if not len(channels):
            return None
        return np.stack([channels, np.broadcast_to(drawn["sigmas"], channels.shape)], 1)

    def changed(self, picked: Tensor, numbers: "Array", random: torch.Generator) -> Tensor:
        """Add noise to each pixel."""
        noise = torch.randn(
            picked.shape, generator=random, device=picked.device, dtype=picked.dtype
        )
        return picked.addcmul_(noise, column(numbers[:, 0], picked))


BATCHED = (BatchedNoise,)
