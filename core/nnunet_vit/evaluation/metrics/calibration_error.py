"""How far the probabilities are from what they promise."""

from typing import TYPE_CHECKING

from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.metric import Metric

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

BINS = 15  # as Guo et al., On calibration of modern neural networks, ICML 2017


def expected_error(masks: ClassMasks) -> float:
    """Return the mean distance of probability and frequency over bins, weighed by their pixels."""
    return calibration_error(*masks.counted_pixels)


def calibration_error(truth: "Array", probability: "Array") -> float:
    """Return it of pixels: whether each is of the class, and the probability that it is."""
    import numpy as np

    bins = np.clip((probability * BINS).astype(int), 0, BINS - 1)
    promised = np.bincount(bins, weights=probability, minlength=BINS)
    kept = np.bincount(bins, weights=truth, minlength=BINS)
    return float(np.abs(promised - kept).sum() / probability.size)


METRICS = (
    Metric(
        "ece",
        "ECE",
        f"expected calibration error of the class's probability: |mean probability - frequency| "
        f"over {BINS} equal bins, weighed by pixels.",
        expected_error,
        of_one_empty=None,
        kinds=("probabilities",),
        order=62,
        lower_is_better=True,
        of_probabilities=True,
    ),
)
