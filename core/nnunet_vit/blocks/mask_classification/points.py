"""The pixels at which masks are compared: all valid ones, or a random choice of them."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# as in https://arxiv.org/abs/1912.08193 and in Mask2Former
OVERSAMPLING = 3  # candidates for each point
UNCERTAIN_SHARE = 0.75  # of the points; the others are chosen uniformly


@dataclass(frozen=True)
class Points:
    """Pixels of N images or masks, equally many of each.

    Attributes:
        pixels: (N, K), row * W + column.
        counted: (N, K), 1, or 0 where there are fewer than K.
    """

    pixels: Tensor
    counted: Tensor


class PointSampler:
    """Chooses among the valid pixels of a batch's images.

    An image with no more of them than points has each of them chosen once, without chance.

    Args:
        valid: (B, H, W), true where a pixel may be chosen.
        points: how many are wanted.
    """

    def __init__(self, valid: Tensor, points: int) -> None:
        """Number the valid pixels."""
        self.size = (valid.shape[1], valid.shape[2])
        self.area = valid.shape[1] * valid.shape[2]
        self.points = min(points, self.area)
        self.counts = valid.flatten(1).sum(dim=1)
        self._ordered = valid_first(valid.flatten(1))

    def uniform(self, images: Tensor) -> Points:
        """Return points of images (N), numbers in the batch, each pixel equally likely."""
        if self.points == self.area:
            return self._all(images)
        return self._all_or(images, self._random(images, self.points))

    def uncertain(self, images: Tensor, mask_logits: Tensor) -> Points:
        """Return points for masks (N, h, w) of images (N), most of them where a mask is unsure."""
        if self.points == self.area:
            return self._all(images)
        candidates = self._random(images, OVERSAMPLING * self.points)
        certainty = self.sampled(mask_logits[:, None], candidates)[:, 0].abs()
        unsure = int(UNCERTAIN_SHARE * self.points)
        chosen = candidates.gather(1, certainty.topk(unsure, dim=1, largest=False).indices)
        others = self._random(images, self.points - unsure)
        return self._all_or(images, torch.cat([chosen, others], dim=1))

    def sampled(self, mask_logits: Tensor, pixels: Tensor) -> Tensor:
        """Return masks of any size (N, Q, h, w) at the centres of pixels (N, K): (N, Q, K)."""
        height, width = self.size
        rows = pixels.div(width, rounding_mode="floor")
        across = (2 * (pixels - rows * width) + 1) / width - 1
        down = (2 * rows + 1) / height - 1
        places = torch.stack([across, down], dim=-1)[:, :, None]
        values = functional.grid_sample(mask_logits, places, align_corners=False)
        return values[..., 0]

    def _all(self, images: Tensor) -> Points:
        ranks = torch.arange(self.points, device=images.device)
        counted = (ranks < self.counts[images, None]).float()
        return Points(self._ordered[images, : self.points], counted)

    def _all_or(self, images: Tensor, pixels: Tensor) -> Points:
        every = self._all(images)
        few = self.counts[images, None] <= self.points
        return Points(torch.where(few, every.pixels, pixels), every.counted)

    def _random(self, images: Tensor, number: int) -> Tensor:
        shares = torch.rand(len(images), number, device=images.device)
        return self._ordered[images[:, None], (shares * self.counts[images, None]).long()]


def valid_first(valid: Tensor) -> Tensor:
    """Return each image's valid pixels, in their order, then zeros: valid (B, P) to (B, P)."""
    batch, area = valid.shape
    ranks = torch.where(valid, valid.cumsum(dim=1) - 1, area)  # the others overwrite one place
    pixels = torch.arange(area, device=valid.device).expand(batch, -1)
    return pixels.new_zeros(batch, area + 1).scatter(1, ranks, pixels)[:, :area]
