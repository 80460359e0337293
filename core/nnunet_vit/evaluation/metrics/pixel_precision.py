"""The share of predicted pixels that is right."""

from nnunet_vit.evaluation.metric import Counts, Metric, without_prediction


def of_counts(counts: Counts) -> float:
    """Return the precision of pixels that were counted."""
    return counts["TP"] / (counts["TP"] + counts["FP"])


METRICS = (
    Metric(
        "precision",
        "precision",
        "TP / (TP + FP) of pixels; positive predictive value; none without a prediction.",
        lambda masks: of_counts(masks.counts),
        of_one_empty=without_prediction,
        kinds=("regions", "vessels"),
        order=20,
        pooled=of_counts,
    ),
)
