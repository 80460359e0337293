"""The share of the reference's pixels that is found."""

from nnunet_vit.evaluation.metric import Counts, Metric


def of_counts(counts: Counts) -> float:
    """Return the recall of pixels that were counted."""
    return counts["TP"] / (counts["TP"] + counts["FN"])


METRICS = (
    Metric(
        "recall",
        "recall",
        "TP / (TP + FN) of pixels; sensitivity.",
        lambda masks: of_counts(masks.counts),
        kinds=("regions", "vessels"),
        order=21,
        pooled=of_counts,
    ),
)
