"""Dice of probabilities, as nnU-Net's loss has it."""

from typing import TYPE_CHECKING

from pydantic import Field

from nnunet_vit.losses.term import ClassOptions, LossTerm

if TYPE_CHECKING:
    from nnunet_vit.losses.term import Compared, Tensor


class DiceOptions(ClassOptions):
    """Keys of `dice`."""

    smooth: float = Field(
        1e-5, ge=0, le=1000, description="added to numerator and denominator, in pixels"
    )


def _value(compared: "Compared", options: DiceOptions) -> "Tensor":
    channels = compared.channels(options.classes)
    p, truth = compared.probabilities[:, channels], compared.truth[:, channels]
    overlap, both = compared.pixels(p * truth), compared.pixels(p + truth)
    dice = (2 * overlap + options.smooth) / (both + options.smooth).clamp_min(1e-8)
    return -compared.mean(dice, channels)


TERMS = (
    LossTerm(
        "dice",
        "-2 Σpt / (Σp + Σt) of the probabilities p and the truth t: minus the Dice, as nnU-Net's "
        "loss has it, the mean of the classes without background",
        _value,
        DiceOptions,
    ),
)
