"""Mirroring across rows and columns."""

from typing import TYPE_CHECKING

import numpy as np
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from torch import Tensor

from nnunet_vit.augmentation.batched.batched_transform import BatchedTransform, Draws, ImageBatch
from nnunet_vit.augmentation.batched.picked import parts, put, taken

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


class BatchedMirroring(BatchedTransform):
    """Mirrors images and masks alike."""

    of = MirrorTransform
    settings = frozenset({"allowed_axes"})

    def draw(self, image: Tensor) -> "Array | None":
        """Return the axes across which a patch is mirrored."""
        axes = self.transform.get_parameters(image=image)["axes"]
        return np.array(sorted(axes), dtype=np.int64) if axes else None

    def apply(self, batch: ImageBatch, drawn: Draws) -> None:
        """Mirror patches with the same axes together."""
        alike: dict[tuple[int, ...], list[int]] = {}
        for number, row in enumerate(drawn):
            if row is not None:
                alike.setdefault(tuple(row.tolist()), []).append(number)
        for axes, numbers in alike.items():
            for tensor in (batch.images, batch.whole_masks):
                _mirror(tensor, numbers, [axis + 2 for axis in axes])


def _mirror(tensor: Tensor, numbers: list[int], axes: list[int]) -> None:
    for part in parts(len(numbers), tensor[0, 0].numel(), tensor.device):
        put(tensor, numbers[part], taken(tensor, numbers[part]).flip(axes))


BATCHED = (BatchedMirroring,)
