"""The distance that the surfaces are off at most, and that at which 95 % are closer."""

from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.metric import Metric, diagonal


def largest(masks: ClassMasks) -> float:
    """Return the largest distance, of both directions."""
    return float(max(distances.max() for distances in masks.distances))


def larger_percentile(masks: ClassMasks) -> float:
    """Return the larger one of the directions' 95th percentiles."""
    import numpy as np

    return float(max(np.percentile(distances, 95) for distances in masks.distances))


def pooled_percentile(masks: ClassMasks) -> float:
    """Return the 95th percentile of both directions' distances together."""
    import numpy as np

    return float(np.percentile(np.concatenate(masks.distances), 95))


METRICS = (
    Metric(
        "hd",
        "HD",
        "Hausdorff distance: the largest distance of a surface pixel to the other surface, both "
        "ways.",
        largest,
        of_one_empty=diagonal,
        order=40,
        in_length=True,
        lower_is_better=True,
    ),
    Metric(
        "hd95",
        "HD95",
        "95th percentile of the distances of surface pixels to the other surface, each way by "
        "itself; the larger one (as MONAI; medpy pools both ways: hd95_pooled).",
        larger_percentile,
        of_one_empty=diagonal,
        kinds=("regions",),
        order=41,
        in_length=True,
        lower_is_better=True,
    ),
    Metric(
        "hd95_pooled",
        "HD95 pooled",
        "95th percentile of the distances of surface pixels to the other surface, both ways "
        "together (as medpy).",
        pooled_percentile,
        of_one_empty=diagonal,
        order=42,
        in_length=True,
        lower_is_better=True,
    ),
)
