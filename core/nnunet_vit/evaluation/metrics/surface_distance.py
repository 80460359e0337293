"""How far the surfaces are apart on average."""

from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.metric import Metric, diagonal


def average(masks: ClassMasks) -> float:
    """Return the mean distance of all surface pixels of both masks to the other surface."""
    total = sum(float(distances.sum()) for distances in masks.distances)
    return total / sum(len(distances) for distances in masks.distances)


METRICS = (
    Metric(
        "assd",
        "ASSD",
        "average symmetric surface distance: mean over the surface pixels of both masks (as "
        "MONAI; medpy takes the mean of both ways' means).",
        average,
        of_one_empty=diagonal,
        kinds=("regions",),
        order=43,
        in_length=True,
        lower_is_better=True,
    ),
)
