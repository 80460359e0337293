"""The share of the surfaces that is right within a tolerance."""

from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.metric import Metric

ROUNDING = 1e-6  # NIfTI keeps spacings as float32: 5 steps of 0.4 mm are 2.00000003 mm


def within_tolerance(masks: ClassMasks) -> float:
    """Return the share of all surface pixels that are at most the tolerance off."""
    allowed = masks.options.tolerance * (1 + ROUNDING) + ROUNDING
    near = sum(int((each <= allowed).sum()) for each in masks.distances)
    return near / sum(len(each) for each in masks.distances)


METRICS = (
    Metric(
        "nsd",
        "NSD",
        "normalized surface Dice: share of the surface pixels of both masks at most {tolerance} "
        "{unit} from the other surface (as MONAI; surface-distance weighs by area).",
        within_tolerance,
        kinds=("regions",),
        order=44,
    ),
)
