"""clDice (https://arxiv.org/abs/2003.07311): whether thin structures hang together."""

from typing import TYPE_CHECKING

from pydantic import Field

from nnunet_vit.losses.term import ClassOptions, LossTerm

if TYPE_CHECKING:
    from nnunet_vit.losses.term import Compared, Tensor


class CentrelineOptions(ClassOptions):
    """Keys of `cldice`."""

    iterations: int = Field(
        5,
        ge=1,
        le=50,
        description="of the soft skeleton, at least half the width of the widest structure in "
        "pixels; each costs time",
    )
    smooth: float = Field(
        1.0, gt=0, le=1000, description="added to numerator and denominator, in pixels"
    )


def _value(compared: "Compared", options: CentrelineOptions) -> "Tensor":
    from nnunet_vit.losses.computing.soft_skeleton import soft_skeleton

    channels = compared.channels(options.classes)
    p = compared.probabilities[:, channels] * compared.valid
    truth = compared.truth[:, channels] * compared.valid
    line, true_line = (soft_skeleton(maps, options.iterations) for maps in (p, truth))
    smooth = options.smooth
    precise = (compared.pixels(line * truth) + smooth) / (compared.pixels(line) + smooth)
    found = (compared.pixels(true_line * p) + smooth) / (compared.pixels(true_line) + smooth)
    return 1 - compared.mean(2 * precise * found / (precise + found), channels)


TERMS = (
    LossTerm(
        "cldice",
        "1 - 2PS / (P + S), with P the share of the predicted soft skeleton that lies in the truth "
        "and S the share of the true one that is predicted, the mean of the classes without "
        "background: for vessels and other thin structures, beside another term",
        _value,
        CentrelineOptions,
        stands_alone=False,
    ),
)
