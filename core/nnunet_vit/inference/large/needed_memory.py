"""How much memory the prediction of a large image takes beside the networks."""

from collections.abc import Sequence
from math import prod

from nnunet_vit.inference.large import mask_file, source, whole_look
from nnunet_vit.inference.large.source import Source

HALF, DOUBLE = 2, 8  # bytes per number
TWICE = 2  # while lines are added or joined, they are there once more


def bytes_of_strips(image: Source, tile: Sequence[int], outputs: int, networks: int) -> int:
    """Return the memory that an image takes, whatever its height; a wide one takes that of a lane.

    Args:
        image: to predict.
        tile: (H, W), pixels.
        outputs: of the network.
        networks: how many there are.
    """
    channels, height, width = image.shape
    piece = channels * min(image.chunk, height) * min(image.wide, width) * image.bytes
    decoding = TWICE * min(max(piece, source.DECODED), prod(image.shape) * image.bytes)
    return decoding + max(_looking(image), _predicting(image, tile, outputs, networks))


def _looking(image: Source) -> int:
    """Return what the look at all pixels takes: a part, where it is not 0, and some in float64."""
    every = prod(image.shape)
    least = image.shape[0] * image.chunk * image.wide
    part = min(every, max(source.PIECE, least))
    summed = min(every // image.shape[0], whole_look.TOGETHER)
    return part * (image.bytes + 1) + summed * DOUBLE


def _predicting(image: Source, tile: Sequence[int], outputs: int, networks: int) -> int:
    """Return what a lane takes: lines that tiles lie on, sums and means of logits, mask lines."""
    (channels, height, width), (high, wide) = image.shape, tile
    own = max(min(width, source.MOST_COLUMNS), wide)
    read = max(min(width, source.MOST_COLUMNS + 2 * wide), wide)  # tiles lie across borders
    lines = TWICE * channels * min(high + 2 * image.chunk, height) * read * image.bytes
    sums = (networks * outputs + 1) * high * read * HALF
    return lines + sums + outputs * high * own * HALF + TWICE * mask_file.TILE * own
