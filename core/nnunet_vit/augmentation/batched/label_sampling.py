"""Labels between the pixels of a mask: the one that would win if each were interpolated."""

from itertools import combinations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

MIXED = -(2**15)  # stands where four neighbouring pixels have several labels
ABOVE = 2**17  # higher than any label, for those that do not win
SCORE = 1000.0  # of a label alone: in half precision, so that what is nearly equal is equal


def sampled_labels(masks: Tensor, down: Tensor, across: Tensor, *, outside: int) -> Tensor:
    """Return the labels at places between pixels, by batchgeneratorsv2's rule.

    Of the four pixels around a place, each adds to its label's score what it would add to an
    interpolated image. The highest score wins; of equal ones the nearest pixel's, else the lowest
    label. Most places lie among pixels of one label, which is looked up; the rest is computed.

    Args:
        masks: (n, L, M) int16.
        down: (n, H, W) how far below the masks' middle the places are, in pixels.
        across: (n, H, W) how far right of it.
        outside: the label of what lies around the masks.

    Returns:
        (n, H, W) int16.
    """
    padded = pad(masks, (1, 2, 1, 2), value=outside)  # a place has a pixel beyond it even there
    one = padded[:, :-1, :-1]
    mixed = (one ^ padded[:, 1:, :-1]) | (one ^ padded[:, :-1, 1:]) | (one ^ padded[:, 1:, 1:])
    mixed = mixed.bool().to(one.dtype)  # products: a processor fills by a condition slowly
    known = one * (1 - mixed) + mixed * MIXED
    rows, columns = (
        (offset + (edge + 1) / 2).clamp_(0, edge + 1)  # in the padded masks, where a floor is int()
        for offset, edge in zip((down, across), masks.shape[1:], strict=True)
    )
    place = rows.int().mul_(known.shape[2]).add_(columns.int())
    found = known.flatten(1).gather(1, place.flatten(1).long()).flatten()
    several = _numbers(found == MIXED)
    image = several.div(down[0].numel(), rounding_mode="floor")
    places = (each.flatten()[several] for each in (rows, columns))
    found[several] = _winners(padded, image, *places)
    return found.view_as(down)


def _numbers(truths: Tensor) -> Tensor:
    """Return the numbers of those (n,) that are true; numpy takes half of torch's time."""
    if truths.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(truths.numpy()))
    return truths.nonzero()[:, 0]


def _winners(padded: Tensor, image: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return the labels (k,) of single places in padded masks (n, L + 3, M + 3)."""
    top, left = rows.long(), columns.long()
    low, right = rows - top, columns - left
    width = padded.shape[2]
    first = (image * padded.shape[1] + top) * width + left
    around = torch.tensor([0, 1, width, width + 1], device=first.device)[:, None]
    labels = padded.take(first + around).float()
    high, leftward = 1 - low, 1 - right
    shares = torch.stack([high * leftward, high * right, low * leftward, low * right])
    scores = shares.clone()
    for one, other in combinations(range(4), 2):
        same = (labels[one] == labels[other]).float()
        scores[one].addcmul_(same, shares[other])
        scores[other].addcmul_(same, shares[one])
    scores = scores.mul_(SCORE).half().float()
    best = scores.amax(0)
    nearest = (2 * (low > 0.5).long() + (right > 0.5).long())[None]
    lowest = (labels + (scores < best).float() * ABOVE).amin(0)
    wins = scores.gather(0, nearest)[0] == best
    return torch.where(wins, labels.gather(0, nearest)[0], lowest).to(padded.dtype)
