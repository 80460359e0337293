"""Intersection over union, as nnU-Net computes it."""

from nnunet_vit.evaluation.metric import Counts, Metric


def of_counts(counts: Counts) -> float:
    """Return intersection over union of pixels that were counted."""
    return counts["TP"] / (counts["TP"] + counts["FP"] + counts["FN"])


METRICS = (
    Metric(
        "iou",
        "IoU",
        "TP / (TP + FP + FN) of pixels, computed by nnU-Net; the Jaccard index.",
        lambda masks: masks.counts["IoU"],
        kinds=("regions",),
        order=11,
        pooled=of_counts,
    ),
)
