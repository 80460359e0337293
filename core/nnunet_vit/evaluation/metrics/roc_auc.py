"""The area under the curve of found against wrongly found pixels."""

import math

from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.metric import Metric


def area(masks: ClassMasks) -> float:
    """Return the area; NaN where all pixels are of the class, or none."""
    from sklearn.metrics import auc

    curve = masks.curve
    return float(auc(curve.wrong, curve.found)) if curve is not None else math.nan


METRICS = (
    Metric(
        "auc",
        "AUC",
        "area under the ROC curve of the class's probability, over pixels; none where all pixels "
        "are of one kind.",
        area,
        of_one_empty=None,
        kinds=("probabilities",),
        order=60,
        of_probabilities=True,
    ),
)
