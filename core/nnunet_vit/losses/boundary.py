"""Boundary loss (https://arxiv.org/abs/1812.07032): probabilities times distances to the edge."""

from typing import TYPE_CHECKING

from nnunet_vit.losses.term import ClassOptions, LossTerm

if TYPE_CHECKING:
    from nnunet_vit.losses.term import Compared, Tensor


def _value(compared: "Compared", options: ClassOptions) -> "Tensor":
    from nnunet_vit.losses.computing.signed_distances import signed_distances

    channels = compared.channels(options.classes)
    distances = signed_distances(compared.truth[:, channels], compared.valid)
    moments = (compared.probabilities[:, channels] * distances * compared.valid).sum((2, 3))
    return compared.mean(moments / compared.valid.sum((2, 3)).clamp_min(1), channels)


TERMS = (
    LossTerm(
        "boundary",
        "the mean over the pixels of p times the signed distance to the true boundary, negative "
        "inside, in diagonals of the patch, the mean of the classes without background; 0 where a "
        "patch has no boundary of a class: beside another term, with a small weight",
        _value,
        ClassOptions,
        stands_alone=False,
    ),
)
