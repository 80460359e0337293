"""Transforms that change some images, or some channels of some images, each in its own way."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor

from nnunet_vit.augmentation.batched.batched_transform import BatchedTransform, Draws, ImageBatch

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

ALONE = 2**17  # pixels from which a processor computes one image at a time


class PickedTransform(BatchedTransform):
    """Changes channels, or whole images, by a row of numbers for each that is picked.

    What is drawn for a patch is an array (n, 1 + numbers): the channel, then its numbers.

    Attributes:
        of_channels: whether single channels are picked; else images, whose first number is 0.
    """

    of_channels: ClassVar[bool] = True

    @abstractmethod
    def changed(self, picked: Tensor, numbers: "Array", random: torch.Generator) -> Tensor:
        """Return channels (n, H, W), or images (n, C, H, W), changed by numbers (n, numbers).

        They may be changed in place.
        """

    def apply(self, batch: ImageBatch, drawn: Draws) -> None:
        """Change what is picked."""
        images = batch.images
        each = images.view(-1, *images.shape[2:]) if self.of_channels else images
        per_image = images.shape[1] if self.of_channels else 1
        rows = [(number, row) for number, row in enumerate(drawn) if row is not None and len(row)]
        if not rows:
            return
        places = np.concatenate([number * per_image + row[:, 0] for number, row in rows])
        places = places.astype(int).tolist()
        numbers = np.concatenate([row[:, 1:] for _, row in rows])
        for part in parts(len(places), each[0].numel(), each.device):
            picked = taken(each, places[part])
            put(each, places[part], self.changed(picked, numbers[part], batch.random))


def parts(count: int, pixels: int, device: torch.device) -> Iterator[slice]:
    """Yield which of so many images are computed together: all of them, as a rule.

    A processor takes large ones one by one: what fits into its own memory is much faster.

    Args:
        count: of images or channels.
        pixels: of each.
        device: that computes.
    """
    step = 1 if device.type == "cpu" and pixels >= ALONE else max(1, count)
    for start in range(0, count, step):
        yield slice(start, start + step)


def taken(tensor: Tensor, places: Sequence[int]) -> Tensor:
    """Return what lies at those places along the first axis: a view of one, a copy of several."""
    if len(places) == 1:  # no copy leaves a processor's own memory
        return tensor[places[0] : places[0] + 1]
    return tensor.index_select(0, torch.tensor(places, device=tensor.device))


def put(tensor: Tensor, places: Sequence[int], changed: Tensor) -> None:
    """Write to those places what was made of what was taken from them."""
    if len(places) == 1:
        tensor[places[0]].copy_(changed[0])
    elif places:
        tensor.index_copy_(0, torch.tensor(places, device=tensor.device), changed)


def channel_rows(channels: Tensor, numbers: Tensor) -> "Array | None":
    """Return what is drawn for a patch: channels (n,), each with its numbers (n,) or (n, numbers).

    None where no channel is picked.
    """
    if not len(channels):
        return None
    return np.column_stack([channels.numpy(), numbers.double().numpy()])


def column(numbers: "Array", like: Tensor) -> Tensor:
    """Return numbers (n,) so that they meet images (n, …), in their type and on their device."""
    found = torch.as_tensor(numbers, dtype=like.dtype).to(like.device)
    return found.reshape(-1, *[1] * (like.ndim - 1))
