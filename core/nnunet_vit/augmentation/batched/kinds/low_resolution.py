"""Low resolution: fewer pixels, and as many as before interpolated between them."""

from typing import TYPE_CHECKING

import torch
from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
from torch import Tensor
from torch.nn.functional import interpolate

from nnunet_vit.augmentation.batched.picked import PickedTransform, channel_rows

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


class BatchedLowResolution(PickedTransform):
    """Takes pixels out, nearest ones, and interpolates between them."""

    of = SimulateLowResolutionTransform
    settings = frozenset(
        {"scale", "synchronize_channels", "synchronize_axes", "ignore_axes", "allowed_channels",
         "p_per_channel", "upmodes"}
    )  # fmt: skip
    ranges = ("scale",)

    def draw(self, image: Tensor) -> "Array | None":
        """Return channels with their scales down and across."""
        drawn = self.transform.get_parameters(image=image)
        return channel_rows(torch.as_tensor(drawn["apply_to_channel"]), drawn["scales"])

    def changed(self, picked: Tensor, numbers: "Array", random: torch.Generator) -> Tensor:
        """Change one channel after the other: each has a size of its own in between."""
        whole = picked.shape[1:]
        for one, scales in zip(picked, numbers, strict=True):
            size = [round(edge * float(scale)) for edge, scale in zip(whole, scales, strict=True)]
            fewer = interpolate(one[None, None], size, mode="nearest-exact")
            one.copy_(interpolate(fewer, whole, mode="bilinear")[0, 0])
        return picked


BATCHED = (BatchedLowResolution,)
