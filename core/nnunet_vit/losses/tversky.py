"""Tversky loss (https://arxiv.org/abs/1706.05721): a Dice that weighs its two kinds of errors."""

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from nnunet_vit.losses.term import ClassOptions, LossTerm

if TYPE_CHECKING:
    from nnunet_vit.losses.term import Compared, Tensor


class TverskyOptions(ClassOptions):
    """Keys of `tversky`."""

    false_positives: float = Field(0.3, ge=0, le=10, description="weight of false positive pixels")
    false_negatives: float = Field(0.7, ge=0, le=10, description="weight of missed pixels")
    exponent: float = Field(
        1.0,
        gt=0,
        le=10,
        description="of 1 - T; 0.75 is the focal Tversky loss (arXiv:1810.07842)",
    )
    smooth: float = Field(
        1e-5, gt=0, le=1000, description="added to numerator and denominator, in pixels"
    )

    @model_validator(mode="after")
    def _some_error_counts(self) -> "TverskyOptions":
        if self.false_positives == self.false_negatives == 0:
            raise ValueError(
                "false_positives and false_negatives are both 0, so that no error counts; allowed: "
                "one of them greater than 0"
            )
        return self


def _value(compared: "Compared", options: TverskyOptions) -> "Tensor":
    channels = compared.channels(options.classes)
    p, truth = compared.probabilities[:, channels], compared.truth[:, channels]
    hits = compared.pixels(p * truth)
    false = compared.pixels(p * (1 - truth))
    missed = compared.pixels((1 - p) * truth)
    wrong = options.false_positives * false + options.false_negatives * missed
    # 1 - T, written so that it is exact, and its power has a gradient, where nothing is wrong
    lacking = wrong / (hits + wrong + options.smooth)
    return compared.mean(lacking.clamp_min(1e-8) ** options.exponent, channels)


TERMS = (
    LossTerm(
        "tversky",
        "(1 - T)^exponent with T = TP / (TP + false_positives FP + false_negatives FN) of the "
        "probabilities, the mean of the classes without background",
        _value,
        TverskyOptions,
    ),
)
