"""What is done to every mask, and by it: nothing is drawn here."""

import torch
from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import (
    DownsampleSegForDSTransform,
)
from batchgeneratorsv2.transforms.utils.nnunet_masking import MaskImageTransform
from batchgeneratorsv2.transforms.utils.remove_label import RemoveLabelTransform
from batchgeneratorsv2.transforms.utils.seg_to_regions import ConvertSegmentationToRegionsTransform
from torch import Tensor
from torch.nn.functional import interpolate

from nnunet_vit.augmentation.batched.batched_transform import BatchedTransform, Draws, ImageBatch


class BatchedMasking(BatchedTransform):
    """Blanks channels outside of the image, where the mask is negative."""

    of = MaskImageTransform
    settings = frozenset({"apply_to_channels", "channel_idx_in_seg", "set_outside_to"})
    fixed = {"channel_idx_in_seg": 0}  # noqa: RUF012

    def apply(self, batch: ImageBatch, drawn: Draws) -> None:
        """Set those pixels."""
        outside = batch.whole_masks[:, 0] < 0
        for channel in self.transform.apply_to_channels:
            batch.images[:, channel].masked_fill_(outside, self.transform.set_outside_to)


class BatchedRemoval(BatchedTransform):
    """Replaces a label."""

    of = RemoveLabelTransform
    settings = frozenset({"label_value", "set_to", "segmentation_channels"})
    fixed = {"segmentation_channels": None}  # noqa: RUF012

    def apply(self, batch: ImageBatch, drawn: Draws) -> None:
        """Replace it in all masks, by a product: a processor fills by a condition slowly."""
        masks, other = batch.whole_masks, self.transform.set_to
        kept = (masks ^ self.transform.label_value).bool().to(masks.dtype)
        masks.mul_(kept)
        if other:
            masks.add_((1 - kept) * other)


class BatchedRegions(BatchedTransform):
    """Makes a mask of truth values for each region, which may overlap."""

    of = ConvertSegmentationToRegionsTransform
    settings = frozenset({"regions", "channel_in_seg"})
    fixed = {"channel_in_seg": 0}  # noqa: RUF012

    def apply(self, batch: ImageBatch, drawn: Draws) -> None:
        """Look for each region's labels."""
        masks = batch.whole_masks[:, 0]
        regions = [region.to(masks.device, masks.dtype) for region in self.transform.regions]
        batch.masks = torch.stack([torch.isin(masks, region) for region in regions], 1)


class BatchedDownsampling(BatchedTransform):
    """Makes the masks of all resolutions that the loss sees."""

    of = DownsampleSegForDSTransform
    settings = frozenset({"ds_scales"})

    def apply(self, batch: ImageBatch, drawn: Draws) -> None:
        """Take the nearest pixel of each, found as torch finds it."""
        masks, levels = batch.whole_masks, []
        for scale in self.transform.ds_scales:
            shares = scale if isinstance(scale, tuple | list) else (scale, scale)
            level = masks
            for axis, share in zip((2, 3), shares, strict=True):
                if share != 1:
                    level = _taken(level, axis, share)
            levels.append(level.contiguous())
        batch.masks = levels


def _taken(masks: Tensor, axis: int, share: float) -> Tensor:
    """Return the rows, or columns, that stand for a share of them; a view where they are evenly."""
    size = masks.shape[axis]
    numbers = torch.arange(size, dtype=torch.float32)[None, None]
    found = interpolate(numbers, [round(size * share)], mode="nearest-exact")[0, 0].long()
    steps = found.diff()
    if len(steps) and bool((steps == steps[0]).all()):
        return masks[(slice(None),) * axis + (slice(int(found[0]), None, int(steps[0])),)].narrow(
            axis, 0, len(found)
        )
    return masks.index_select(axis, found.to(masks.device))


BATCHED = (BatchedMasking, BatchedRemoval, BatchedRegions, BatchedDownsampling)
