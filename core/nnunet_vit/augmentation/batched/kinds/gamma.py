"""Gamma of a channel between its lowest and its highest value, or of its negative."""

from typing import TYPE_CHECKING

import torch
from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
from torch import Tensor
from torch.linalg import vector_norm

from nnunet_vit.augmentation.batched.picked import PickedTransform, channel_rows, column

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

PIXELS = (1, 2)  # the axes of (n, H, W)
SMALLEST = 1e-7  # that is divided by, as in batchgeneratorsv2


class BatchedGamma(PickedTransform):
    """Raises to a power, inverted or not, and gives back mean and spread where that is drawn."""

    of = GammaTransform
    settings = frozenset(
        {"gamma", "p_invert_image", "synchronize_channels", "p_per_channel", "p_retain_stats"}
    )
    ranges = ("gamma",)

    def draw(self, image: Tensor) -> "Array | None":
        """Return channels with their gamma, and whether they are inverted and keep statistics."""
        drawn = self.transform.get_parameters(image=image)
        if drawn["gamma"] is None:
            return None
        numbers = torch.stack([drawn[key].float() for key in ("gamma", *SWITCHES)], 1)
        return channel_rows(drawn["apply_to_channel"], numbers)

    def changed(self, picked: Tensor, numbers: "Array", random: torch.Generator) -> Tensor:
        """Compute with logarithms, which are several times as fast as powers.

        An inverted channel counts from its highest value down.
        """
        gamma, inverted, retained = (column(numbers[:, place], picked) for place in range(3))
        mean = picked.mean(PIXELS, True)
        lowest, highest = picked.amin(PIXELS, True), picked.amax(PIXELS, True)
        span = highest - lowest
        first = torch.where(inverted > 0, highest, lowest)
        sign = 1 - 2 * inverted
        keeps = bool(numbers[:, 2].any())
        spread = deviation(picked - mean) if keeps else span
        picked.sub_(first).mul_(sign / span.clamp_min(SMALLEST))
        picked.log_().mul_(gamma).exp_()  # the lowest is 0, and so is exp(-inf)
        if not keeps:
            return picked.mul_(sign * span).add_(first)
        own = picked.mean(PIXELS, True)
        kept = sign * spread * span / (span * deviation(picked - own)).clamp_min(SMALLEST)
        factor = torch.where(retained > 0, kept, sign * span)
        offset = torch.where(retained > 0, mean - own * kept, first)
        return picked.mul_(factor).add_(offset)


SWITCHES = ("invert_image", "retain_stats")


def deviation(centered: Tensor) -> Tensor:
    """Return the standard deviation (n, 1, 1) of channels (n, H, W) whose mean is 0."""
    pixels = centered.shape[1] * centered.shape[2]
    length: Tensor = vector_norm(centered, dim=PIXELS, keepdim=True)
    return length.mul_((pixels - 1) ** -0.5)


BATCHED = (BatchedGamma,)
