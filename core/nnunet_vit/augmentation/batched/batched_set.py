"""A training's whole set of transforms: drawn where batches are made, applied on the device."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from torch import Tensor

from nnunet_vit.augmentation.batched.batched_transform import Draws, ImageBatch
from nnunet_vit.augmentation.batched.kinds import batched, obstacle_of

SEEDS = 2**62


@dataclass(frozen=True)
class DrawnSet:
    """What was drawn for a batch.

    Attributes:
        draws: for each transform.
        seed: of the random numbers of pixels, which are drawn on the device.
    """

    draws: list[Draws]
    seed: int


def obstacles(transforms: Sequence[BasicTransform]) -> list[str]:
    """Return what keeps transforms from being applied to whole batches; nothing: they can be."""
    found = (obstacle_of(_inner(each)) for each in transforms)
    return [text for text in found if text]


class BatchedSet:
    """A list of transforms without obstacles."""

    def __init__(self, transforms: Sequence[BasicTransform]) -> None:
        """Keep what does the same to batches, and how often each is applied."""
        self.kinds = [batched(_inner(each)) for each in transforms]
        self.chances = [_chance(each) for each in transforms]

    def leave_out(self, of: type) -> None:
        """Do without the transforms of a class; what the others draw stays the same."""
        kept = [place for place, kind in enumerate(self.kinds) if kind.of is not of]
        self.kinds = [self.kinds[place] for place in kept]
        self.chances = [self.chances[place] for place in kept]

    def drawn(self, count: int, shape: Sequence[int]) -> DrawnSet:
        """Draw for a batch from numpy's and torch's global random numbers.

        Args:
            count: of patches.
            shape: (C, H, W) of each.
        """
        empty = torch.empty(1, 1, 1).expand(*shape)
        draws: list[Draws] = []
        for kind, chance in zip(self.kinds, self.chances, strict=True):
            happens = [True] * count if chance is None else (torch.rand(count) < chance).tolist()
            draws.append([kind.draw(empty) if each else None for each in happens])
        return DrawnSet(draws, int(torch.randint(SEEDS, ())))

    def __call__(
        self, images: Tensor, masks: Tensor, drawn: DrawnSet
    ) -> tuple[Tensor, Tensor | list[Tensor]]:
        """Return a batch's patches as the network gets them.

        Args:
            images: (B, C, H, W) float32, larger than the patch, on the device that computes.
            masks: (B, 1, H, W) int16, with -1 outside of the image.
            drawn: for this batch.

        Returns:
            Images (B, C, h, w), and masks as nnU-Net's transforms make them, batched.
        """
        random = torch.Generator(images.device).manual_seed(drawn.seed)
        batch = ImageBatch(images, masks, random)
        with torch.no_grad():
            for kind, draws in zip(self.kinds, drawn.draws, strict=True):
                kind.apply(batch, draws)
        return batch.images, batch.masks


def _inner(transform: BasicTransform) -> BasicTransform:
    return transform.transform if type(transform) is RandomTransform else transform


def _chance(transform: BasicTransform) -> float | None:
    """Return the share of the patches that a transform is applied to; None: it is to all."""
    return float(transform.apply_probability) if type(transform) is RandomTransform else None
