"""Lanes: the columns of a wide image that are predicted together, from its top to its bottom."""

import itertools

from nnunet_vit.inference.large import mask_file, source
from nnunet_vit.inference.large.source import Ends


def lanes_of(width: int) -> list[Ends]:
    """Return (left, right) of each lane of an image: about equally wide, none wider than the limit.

    They begin where tiles of the mask do.
    """
    tiles = -(-width // mask_file.TILE)
    lanes = -(-tiles // max(1, source.MOST_COLUMNS // mask_file.TILE))
    borders = [min(width, number * tiles // lanes * mask_file.TILE) for number in range(lanes + 1)]
    return list(itertools.pairwise(borders))
