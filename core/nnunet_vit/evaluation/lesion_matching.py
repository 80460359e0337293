"""Which lesions of two masks are one: parts that overlap, each with one partner at most."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array


@dataclass(frozen=True)
class Lesions:
    """Numbers of lesions: those of both masks that are one, and all of each mask."""

    matched: int
    true: int
    predicted: int


def components(mask: "Array") -> tuple["Array", int]:
    """Return a mask's connected parts (neighbours: 8, or 26), numbered from 1, and their number.

    By scipy: cc3d, which is faster, joins and invents parts of bool masks (4.1.1).
    """
    from scipy.ndimage import generate_binary_structure, label

    parts, count = label(mask, generate_binary_structure(mask.ndim, mask.ndim))
    return parts, int(count)


def match(reference: "Array", prediction: "Array", overlap: float) -> Lesions:
    """Return how many lesions match: as many as can be paired, each with one partner.

    Args:
        reference: (Y, X) or (Z, Y, X) bool.
        prediction: likewise.
        overlap: intersection over union from which two may be one.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    (truth, true), (found, predicted) = components(reference), components(prediction)
    both = (truth > 0) & (found > 0)
    coded = truth[both].astype(np.int64) * (predicted + 1) + found[both]
    pairs, shared = np.unique(coded, return_counts=True)
    rows, columns = np.divmod(pairs, predicted + 1)
    union = np.bincount(truth.ravel())[rows] + np.bincount(found.ravel())[columns] - shared
    fits = shared / union >= overlap
    graph = coo_array(
        (np.ones(fits.sum(), bool), (rows[fits] - 1, columns[fits] - 1)), shape=(true, predicted)
    )
    partners = maximum_bipartite_matching(graph.tocsr(), perm_type="column")
    return Lesions(int((partners >= 0).sum()), true, predicted)
