"""A batch on the device that the network computes on."""

from typing import TYPE_CHECKING, TypeAlias

import torch
from torch import Tensor

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.training.whole_batches import DRAWN

if TYPE_CHECKING:
    from nnunet_vit.augmentation.batched.batched_set import BatchedSet

Target: TypeAlias = "Tensor | list[Tensor]"


def on_device(
    batch: JsonObject, device: torch.device, batched: "BatchedSet | None"
) -> tuple[Tensor, Target]:
    """Return images (B, C, H, W) and target (B, 1, H, W), or targets of several resolutions.

    Args:
        batch: as loaders make it.
        device: of the network.
        batched: what is done to the whole batch there; None: workers have augmented it.
    """
    images, target = batch["data"].to(device, non_blocking=True), batch["target"]
    if isinstance(target, list):
        target = [level.to(device, non_blocking=True) for level in target]
    else:
        target = target.to(device, non_blocking=True)
    return (images, target) if batched is None else batched(images, target, batch[DRAWN])
