"""nnU-Net's targets as segments: one binary mask for each class or region of an image."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Segments:
    """What the images of a batch show.

    Attributes:
        masks: (B, num_classes, H, W), true where a pixel is valid and of the class or region.
        valid: (B, H, W), false where a pixel is to be ignored.
    """

    masks: Tensor
    valid: Tensor

    @property
    def present(self) -> Tensor:
        """Whether an image shows a class or region (B, num_classes)."""
        return self.masks.flatten(2).any(dim=2)

    @property
    def annotated(self) -> Tensor:
        """Whether an image has any pixel that is not ignored (B)."""
        return self.valid.flatten(1).any(dim=1)


def segments_of(
    target: Tensor, num_classes: int, has_regions: bool, ignore_label: int | None
) -> Segments:
    """Return the segments of a target in the layout of hookspecs.create_loss.

    Negative labels count as background, as in nnU-Net, which pads with -1 and maps it to 0.

    Shapes: target (B, 1, H, W) of class numbers; or (B, num_classes, H, W) of regions, and one
    channel more, 1 where a pixel is to be ignored, if there is an ignore_label.
    """
    if has_regions:
        regions = target.bool()
        valid = torch.ones_like(regions[:, 0]) if ignore_label is None else ~regions[:, -1]
        return Segments(regions[:, :num_classes] & valid[:, None], valid)
    valid = torch.ones_like(target, dtype=torch.bool)
    if ignore_label is not None:
        valid = target != ignore_label
    labels = torch.where(valid, target, 0).long().clamp(min=0)
    batch, _, height, width = target.shape
    masks = valid.new_zeros(batch, num_classes, height, width).scatter(1, labels, valid)
    return Segments(masks, valid[:, 0])
