"""Cross entropy of classes, or binary cross entropy of regions."""

from typing import TYPE_CHECKING

from pydantic import Field

from nnunet_vit.losses.term import LossTerm, TermOptions

if TYPE_CHECKING:
    from nnunet_vit.losses.term import Compared, Tensor


class CrossEntropyOptions(TermOptions):
    """Keys of `cross_entropy`."""

    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of the truth that is spread over all classes"
    )


def _value(compared: "Compared", options: CrossEntropyOptions) -> "Tensor":
    from nnunet_vit.losses.computing.pixel_mean import entropies, pixel_mean

    return pixel_mean(entropies(compared, options.label_smoothing), compared)


TERMS = (
    LossTerm(
        "cross_entropy",
        "-log p of each pixel's class, the mean of the pixels; of regions the binary cross "
        "entropy, the mean of regions and pixels, with a label to ignore the sum "
        "of the regions' means, as nnU-Net has it",
        _value,
        CrossEntropyOptions,
    ),
)
