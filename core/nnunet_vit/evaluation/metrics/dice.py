"""Dice, as nnU-Net computes it."""

from nnunet_vit.evaluation.metric import Counts, Metric


def of_counts(counts: Counts) -> float:
    """Return Dice of pixels that were counted."""
    return 2 * counts["TP"] / (2 * counts["TP"] + counts["FP"] + counts["FN"])


METRICS = (
    Metric(
        "dice",
        "Dice",
        "2 TP / (2 TP + FP + FN) of pixels, computed by nnU-Net; F1 is another name of it.",
        lambda masks: masks.counts["Dice"],
        kinds=("regions", "vessels", "lesions"),
        order=10,
        pooled=of_counts,
    ),
)
