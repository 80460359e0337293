"""The share of the reference's pixels that is found."""

from nnunet_vit.evaluation.metric import Counts, Metric, without_reference


def of_counts(counts: Counts) -> float:
    """Return the recall of pixels that were counted."""
    return counts["TP"] / (counts["TP"] + counts["FN"])


METRICS = (
    Metric(
        "recall",
        "recall",
        "TP / (TP + FN) of pixels; sensitivity; none without a reference.",
        lambda masks: of_counts(masks.counts),
        of_one_empty=without_reference,
        kinds=("regions", "vessels"),
        order=21,
        pooled=of_counts,
    ),
)
