"""How many lesions are found, whatever their size."""

from nnunet_vit.evaluation.metric import Metric, without_prediction, without_reference

RULE = "connected parts (8 or 26 neighbours) that overlap, IoU {overlap} or more, one to one"
METRICS = (
    Metric(
        "lesion_f1",
        "lesion F1",
        f"2 TP / (2 TP + FP + FN) of lesions; TP: {RULE}.",
        lambda masks: 2 * masks.lesions.matched / (masks.lesions.true + masks.lesions.predicted),
        kinds=("lesions",),
        order=50,
    ),
    Metric(
        "lesion_precision",
        "lesion precision",
        f"TP / (TP + FP) of lesions; TP: {RULE}.",
        lambda masks: masks.lesions.matched / masks.lesions.predicted,
        of_one_empty=without_prediction,
        kinds=("lesions",),
        order=51,
    ),
    Metric(
        "lesion_recall",
        "lesion recall",
        f"TP / (TP + FN) of lesions; TP: {RULE}.",
        lambda masks: masks.lesions.matched / masks.lesions.true,
        of_one_empty=without_reference,
        kinds=("lesions",),
        order=52,
    ),
)
