"""nnU-Net's three folders for every test of this room, and masks of one class."""

import numpy as np
import pytest
from nnunet_folders import nnunet_folders, one_thread, said, write_dataset

from nnunet_vit.evaluation.class_masks import ClassMasks, MetricOptions

__all__ = ["nnunet_folders", "one_thread", "said", "write_dataset"]


def counts_of(reference, prediction, counted=None):
    """Return nnU-Net's numbers of two masks."""
    from nnunetv2.evaluation.evaluate_predictions import compute_metrics

    held = {"r": reference.astype(np.int16), "p": prediction.astype(np.int16)}
    if counted is not None:
        held["r"][~counted] = -1

    class Reader:
        def read_seg(self, name):
            return held[name], {}

    return compute_metrics("r", "p", Reader(), [1], -1)["metrics"][1]


@pytest.fixture(scope="session")
def class_masks():
    """`class_masks(reference, prediction)` returns masks of a class with nnU-Net's counts."""

    def make(reference, prediction, spacing=None, counted=None, probability=None, **options):
        reference, prediction = np.asarray(reference, bool), np.asarray(prediction, bool)
        if counted is not None:
            reference, prediction = reference & counted, prediction & counted
        return ClassMasks(
            reference,
            prediction,
            spacing or (1.0,) * reference.ndim,
            counts_of(reference, prediction, counted),
            MetricOptions(**options),
            counted=counted,
            probability=probability,
        )

    return make
