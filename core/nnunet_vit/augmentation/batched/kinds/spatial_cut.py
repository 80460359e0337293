"""Rotation and scaling, and the cut of the patch out of a larger one."""

import copy
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from torch import Tensor
from torch.nn.functional import grid_sample

from nnunet_vit.augmentation.batched.batched_transform import BatchedTransform, Draws, ImageBatch
from nnunet_vit.augmentation.batched.label_sampling import sampled_labels
from nnunet_vit.augmentation.batched.picked import parts, put, taken

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

ELASTIC = frozenset(
    {"elastic_deform_scale", "elastic_deform_magnitude", "p_synchronize_def_scale_across_axes"}
)  # without a meaning where nothing is deformed


class BatchedCut(BatchedTransform):
    """Interpolates images, and labels in their own way, by one grid of each patch."""

    of = SpatialTransform
    settings = ELASTIC | {
        "patch_size", "patch_center_dist_from_border", "random_crop", "p_elastic_deform",
        "p_rotation", "rotation", "p_rot_per_axis", "p_scaling", "scaling",
        "p_synchronize_scaling_across_axes", "bg_style_seg_sampling", "seg_tiebreak", "mode_seg",
        "border_mode_seg", "center_deformation", "mode_image", "padding_mode_image",
        "padding_value_seg", "padding_value_image", "align_corners", "_grid_cache",
    }  # fmt: skip
    ranges = ("rotation", "scaling")
    fixed = {  # noqa: RUF012
        "random_crop": False, "p_elastic_deform": 0, "seg_tiebreak": "nearest",
        "mode_seg": "bilinear", "border_mode_seg": "constant", "mode_image": "bilinear",
        "padding_mode_image": "zeros", "align_corners": False,
    }  # fmt: skip

    # Any: batchgeneratorsv2 has no types
    def __init__(self, transform: Any) -> None:  # noqa: ANN401
        """Keep a copy that draws without making the grid of a whole patch."""
        super().__init__(transform)
        self.size = tuple(map(int, transform.patch_size))
        self.drawing = copy.copy(transform)
        self.drawing.patch_size, self.drawing._grid_cache = (1, 1), {}

    def draw(self, image: Tensor) -> "Array | None":
        """Return the matrix (2, 2) from the patch's rows and columns to those of the larger one."""
        affine: Array | None = self.drawing.get_parameters(image=image)["affine"]
        return affine

    def apply(self, batch: ImageBatch, drawn: Draws) -> None:
        """Cut the middle out, or interpolate where a matrix was drawn.

        Patches take the place of the larger ones, from the front: fresh memory costs a processor
        more than what is computed.
        """
        wholes = (batch.images, batch.whole_masks)
        batch.images, batch.masks = (_front(each, self.size) for each in wholes)
        window = (slice(None), slice(None), *map(middle, wholes[0].shape[2:], self.size))
        for part in parts(len(drawn), wholes[1][0].numel(), wholes[0].device):
            numbers = range(len(drawn))[part]
            still = [number for number in numbers if drawn[number] is None]
            moved = [number for number in numbers if drawn[number] is not None]
            places = torch.tensor(still, dtype=torch.long, device=wholes[0].device)
            cut = [each[window].index_select(0, places) for each in wholes]
            turned = self._turned(wholes, drawn, moved) if moved else cut
            for patches, unmoved, found in zip(
                (batch.images, batch.masks), cut, turned, strict=True
            ):
                put(patches, still, unmoved)
                put(patches, moved, found)

    def _turned(
        self, wholes: tuple[Tensor, Tensor], drawn: Draws, moved: list[int]
    ) -> tuple[Tensor, Tensor]:
        """Return some patches, interpolated by their matrices."""
        images, masks = (taken(each, moved) for each in wholes)
        down, across = offsets(np.array([drawn[number] for number in moved]), self.size, images)
        outside = int(self.transform.padding_value_seg)
        labels = sampled_labels(masks[:, 0], down, across, outside=outside)
        return _interpolated(images, down, across), labels[:, None]


def _front(wholes: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return the first part of the memory of larger patches, shaped as patches of a size."""
    count, channels = wholes.shape[:2]
    return wholes.view(-1)[: count * channels * prod(size)].view(count, channels, *size)


def middle(whole: int, part: int) -> slice:
    """Return where the middle of an edge is cut out, as batchgeneratorsv2 does it."""
    start = whole // 2 - part // 2
    if start < 0 or whole < start + part:
        raise ValueError(f"a patch of {part} pixels is cut out of {whole}")
    return slice(start, start + part)


def offsets(matrices: "Array", size: tuple[int, ...], like: Tensor) -> tuple[Tensor, Tensor]:
    """Return from how far below and right of the middle a patch's pixels are taken, in pixels.

    Args:
        matrices: (n, 2, 2).
        size: of the patch (H, W).
        like: a tensor of the type and on the device of the results (n, H, W).
    """
    rows, columns = (
        torch.arange(edge, device=like.device, dtype=like.dtype) - (edge - 1) / 2 for edge in size
    )
    found = []
    for axis in (0, 1):
        one, other = (torch.as_tensor(matrices[:, axis, place]).to(rows) for place in (0, 1))
        found.append((one[:, None] * rows)[:, :, None] + (other[:, None] * columns)[:, None])
    return found[0], found[1]


def _interpolated(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Return images (n, C, H, W) at those offsets, 0 around them."""
    grid = down.new_empty((*down.shape, 2))  # from -1 to 1 across the images
    torch.mul(across, 2 / images.shape[3], out=grid[..., 0])
    torch.mul(down, 2 / images.shape[2], out=grid[..., 1])
    return grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


BATCHED = (BatchedCut,)
