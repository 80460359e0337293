"""Mirroring of drawn views: of images, masks and features at once."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

MIRRORS = 3  # stream of random numbers, beside those of view_plan
Mirrored = Callable[[str, Tensor, int], Tensor]


def with_mirroring(
    kept: Mapping[str, Tensor], axes: Sequence[int], mirrored: Mirrored, *, seed: int, step: int
) -> dict[str, Tensor]:
    """Return a batch, each of its views mirrored along each axis with nnU-Net's probability, 0.5.

    Args:
        kept: by name, (B, …).
        axes: of the image, -2 and -1.
        mirrored: returns what is kept under a name, mirrored along an axis.
        seed: of the run.
        step: counted from 0.
    """
    found = dict(kept)
    count = len(next(iter(kept.values())))
    random = np.random.default_rng([seed, step, MIRRORS])
    for axis in axes:
        chosen = torch.from_numpy(np.flatnonzero(random.random(count) < 0.5))
        for name, value in found.items():
            turned = mirrored(name, value[chosen], axis)
            found[name] = value.index_copy(0, chosen, turned)
    return found
