"""How much of the centre lines is found: for vessels and other thin structures.

Source: Shit et al., clDice, CVPR 2021 (the paper; their code is MIT).
"""

from typing import TYPE_CHECKING

from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.lesion_matching import components
from nnunet_vit.evaluation.metric import Metric

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


def skeleton_of(mask: "Array") -> "Array":
    """Return the centre lines of a mask, at least one pixel of each connected part.

    scikit-image's thinning of volumes erases some compact parts, a cube of 4 voxels a side for one:
    of these the innermost pixel stays.
    """
    import numpy as np
    from scipy.ndimage import distance_transform_edt, find_objects
    from skimage.morphology import skeletonize

    lines: Array = skeletonize(mask) > 0  # of volumes uint8 once
    parts, count = components(mask)
    erased = sorted(set(range(1, count + 1)) - set(np.unique(parts[lines]).tolist()))
    if erased:
        depth = distance_transform_edt(np.pad(mask, 1))[(slice(1, -1),) * mask.ndim]
        boxes = find_objects(parts)
        for part in erased:
            box = boxes[part - 1]
            inside = np.where(parts[box] == part, depth[box], 0)
            lines[box][np.unravel_index(inside.argmax(), inside.shape)] = True
    return lines


def of_skeletons(masks: ClassMasks) -> float:
    """Return the harmonic mean of the shares of each skeleton that lies in the other mask."""
    reference, prediction = masks.cut
    recall = float(prediction[skeleton_of(reference)].mean())
    precision = float(reference[skeleton_of(prediction)].mean())
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


METRICS = (
    Metric(
        "cldice",
        "clDice",
        "harmonic mean of the shares of each mask's skeleton inside the other mask (Shit 2021; "
        "skeletons by scikit-image).",
        of_skeletons,
        kinds=("vessels",),
        order=46,
    ),
)
