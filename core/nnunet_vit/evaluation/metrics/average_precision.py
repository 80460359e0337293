"""The mean precision over all thresholds."""

import math

from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.metric import Metric


def mean_precision(masks: ClassMasks) -> float:
    """Return the precision, weighed by what each threshold finds more; NaN without a pixel."""
    import numpy as np

    curve = masks.curve
    if curve is None:
        return math.nan
    right, wrong = curve.found[1:] * curve.positives, curve.wrong[1:] * curve.negatives
    return float(np.sum(np.diff(curve.found) * right / (right + wrong)))


METRICS = (
    Metric(
        "average_precision",
        "average precision",
        "precision over all thresholds of the class's probability, weighed by the gain in recall "
        "(as scikit-learn); none where all pixels are of one kind.",
        mean_precision,
        of_one_empty=None,
        kinds=("probabilities",),
        order=61,
        of_probabilities=True,
    ),
)
