"""nnU-Net's own losses, as its trainer chooses them, for what has no trainer."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def loss_for(
    regions: bool, target: "Callable[[int, int, int, int], Tensor] | None" = None
) -> "Callable[[Tensor | list[Tensor]], Tensor]":
    """Return nnU-Net's loss of logits (B, C, H, W), or a list of them, for what has no labels.

    A label to ignore is left out: its loss looks at values.

    Args:
        regions: whether the labels are regions, which may overlap, and no classes.
        target: makes labels (B, 1, H, W), or (B, regions, H, W); None: empty ones.
    """
    import torch
    from nnunetv2.training.loss.compound_losses import DC_and_BCE_loss, DC_and_CE_loss
    from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss

    dice = {"batch_dice": True, "smooth": 1e-5, "ddp": False}
    kind = {"dice_class": MemoryEfficientSoftDiceLoss}
    loss: Callable[[Tensor, Tensor], Tensor] = (
        DC_and_BCE_loss({}, {**dice, "do_bg": True}, **kind)
        if regions
        else DC_and_CE_loss({**dice, "do_bg": False}, {}, **kind)
    )

    labels = target or torch.zeros

    def total(output: "Tensor | list[Tensor]") -> "Tensor":
        losses = []
        for level in [output] if isinstance(output, torch.Tensor) else output:
            batch, outputs, height, width = level.shape
            losses.append(loss(level, labels(batch, outputs if regions else 1, height, width)))
        return torch.stack(losses).sum()

    return total
