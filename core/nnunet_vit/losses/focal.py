"""Focal loss (https://arxiv.org/abs/1708.02002): cross entropy that easy pixels hardly count in."""

from typing import TYPE_CHECKING

from pydantic import Field

from nnunet_vit.losses.term import LossTerm, TermOptions

if TYPE_CHECKING:
    from nnunet_vit.losses.term import Compared, Tensor


class FocalOptions(TermOptions):
    """Keys of `focal`."""

    gamma: float = Field(
        2.0, ge=0, le=10, description="how little easy pixels count; 0 is cross entropy"
    )


def _value(compared: "Compared", options: FocalOptions) -> "Tensor":
    from nnunet_vit.losses.computing.pixel_mean import entropies, pixel_mean

    of_truth = entropies(compared)
    # 1 - p of what is true, from log p: its gradient is finite where p is 1
    missing = -(-of_truth).expm1()
    return pixel_mean(missing.clamp_min(1e-8) ** options.gamma * of_truth, compared)


TERMS = (
    LossTerm(
        "focal",
        "-(1 - p)^gamma log p of each pixel's class, the mean of the pixels; of regions the binary "
        "one, the mean of regions and pixels, with a label to ignore the sum "
        "of the regions' means, as nnU-Net has it",
        _value,
        FocalOptions,
    ),
)
