"""Connected parts of masks: which stay, where the command line says so.

Voxels that touch at a corner are connected, as in nnU-Net's own post-processing.
"""

from typing import TYPE_CHECKING

from nnunet_vit.data.labels import labels_of
from nnunet_vit.evaluation.ranking.postprocessing import postprocessed
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.inference.prediction_options import PredictionOptions

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


def cleaned(
    mask: "Array", description: JsonMapping, properties: JsonMapping, *, options: PredictionOptions
) -> "Array":
    """Return a mask whose small parts, or all but the largest of each class, are background.

    A part of a region that goes becomes what is left of the regions around it.

    Args:
        mask: (Z, Y, X), of labels.
        description: dataset.json.
        properties: nnU-Net's, of the image.
        options: of the prediction.

    Raises:
        DataError: the least size is of planes and the mask a volume, or the other way round.
    """
    if not options.largest_component and options.min_size is None:
        return mask
    least = 0.0
    if options.min_size is not None:
        least = options.min_size.in_voxels(mask.shape, properties["spacing"])
    kept = _kept(mask, _classes(description), largest=options.largest_component, least=least)
    result: Array = mask * 0
    for label, where in kept.items():
        result[where] = label
    return result


def _classes(description: JsonMapping) -> dict[int, frozenset[int]]:
    """Return the labels of each class or region by the label that it paints, in that order."""
    classes = labels_of(description).classes.values()
    painted = description.get("regions_class_order") or [labels[0] for labels in classes]
    return {int(label): frozenset(labels) for label, labels in zip(painted, classes, strict=True)}


def _kept(
    mask: "Array", classes: dict[int, frozenset[int]], *, largest: bool, least: float
) -> "dict[int, Array]":
    """Return where each class stays; a region within another one goes where that one does."""
    import numpy as np

    kept: dict[int, Array] = {}
    for label, labels in sorted(classes.items(), key=lambda item: -len(item[1])):
        inside = np.isin(mask, list(labels))
        for other, where in kept.items():
            if labels < classes[other]:
                inside &= where
        if largest:
            inside = postprocessed(inside.astype(np.uint8), [(1,)]) == 1
        kept[label] = _large(inside, least) if least else inside
    return {label: kept[label] for label in classes}


def _large(inside: "Array", least: float) -> "Array":
    import numpy as np

    parts, _ = parts_of(inside)
    sizes = np.bincount(parts.ravel())
    stays = sizes >= least
    stays[0] = False
    found: Array = stays[parts]
    return found


def parts_of(inside: "Array") -> "tuple[Array, int]":
    """Return the connected parts as numbers from 1, and how many there are."""
    import numpy as np
    from scipy import ndimage

    parts, count = ndimage.label(inside, structure=np.ones((3,) * inside.ndim))
    return parts, int(count)
