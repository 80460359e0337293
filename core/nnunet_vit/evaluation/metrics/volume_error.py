"""How much larger or smaller the prediction is."""

import math

from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.metric import Metric


def without_one(masks: ClassMasks) -> float:
    """Return 1, all of the volume, for an empty prediction; NaN without a volume to relate to."""
    return 1.0 if masks.counts["n_ref"] else math.nan


METRICS = (
    Metric(
        "volume_error",
        "volume error",
        "|P - R| / R, of the volumes (areas) of prediction and reference; none without a "
        "reference.",
        lambda masks: abs(masks.counts["n_pred"] / masks.counts["n_ref"] - 1),
        of_one_empty=without_one,
        kinds=("regions", "lesions"),
        order=30,
        lower_is_better=True,
    ),
)
