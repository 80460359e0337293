"""The share of all pixels that is right, of the class or not."""

from nnunet_vit.evaluation.metric import Counts, Metric


def of_counts(counts: Counts) -> float:
    """Return the accuracy of pixels that were counted."""
    right = counts["TP"] + counts["TN"]
    return right / (right + counts["FP"] + counts["FN"])


METRICS = (
    Metric(
        "accuracy",
        "accuracy",
        "(TP + TN) / all pixels, of this class against all others; empty masks too.",
        lambda masks: of_counts(masks.counts),
        of_one_empty=None,
        kinds=("vessels",),
        order=23,
        pooled=of_counts,
    ),
)
