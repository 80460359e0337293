"""Intersection over union of the masks' rims.

Source: Cheng et al., Boundary IoU, CVPR 2021 (the paper; their code is MIT).
"""

import math
from typing import TYPE_CHECKING

from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.metric import Metric

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

RIM = 0.02  # of the image's diagonal


def rim(mask: "Array", width: int) -> "Array":
    """Return the pixels of a mask at most `width` from its outside, steps aslant counting as one.

    Shapes: (Y, X) or (Z, Y, X), as what is returned.
    """
    import numpy as np
    from scipy.ndimage import distance_transform_cdt

    inside = (slice(1, -1),) * mask.ndim  # beyond the image is outside
    deep = distance_transform_cdt(np.pad(mask, 1), "chessboard")[inside]
    found: Array = (deep > 0) & (deep <= width)
    return found


def of_rims(masks: ClassMasks) -> float:
    """Return intersection over union of the rims."""
    width = max(1, round(RIM * math.hypot(*masks.reference.shape)))
    reference, prediction = (rim(mask, width) for mask in masks.cut)
    return float((reference & prediction).sum() / (reference | prediction).sum())


METRICS = (
    Metric(
        "boundary_iou",
        "boundary IoU",
        "IoU of the rims of both masks, 2 % of the image's diagonal wide, in pixels (Cheng 2021).",
        of_rims,
        order=45,
    ),
)
