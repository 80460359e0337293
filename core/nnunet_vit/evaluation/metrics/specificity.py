"""The share of other pixels that is left out of the prediction."""

import math

from nnunet_vit.evaluation.metric import Counts, Metric


def of_counts(counts: Counts) -> float:
    """Return the specificity of pixels that were counted; NaN where the class is everywhere."""
    others = counts["TN"] + counts["FP"]
    return counts["TN"] / others if others else math.nan


METRICS = (
    Metric(
        "specificity",
        "specificity",
        "TN / (TN + FP) of pixels; empty masks too.",
        lambda masks: of_counts(masks.counts),
        of_one_empty=None,
        kinds=("vessels",),
        order=22,
        pooled=of_counts,
    ),
)
