"""The foreground's intensities in a fingerprint: counted where they are integers, drawn elsewhere.

nnU-Net draws 100,000,000 numbers per channel, the same number from each case, whatever the size of
the dataset. Of pictures and CT, which hold few different values, all are counted here, and each
case weighs the same: what the draw estimates, in kilobytes. Of other values all are taken too, but
for cases that hold more than nnU-Net draws; of those as many are drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

COUNTED_RANGE = 1 << 20  # integers in a wider range are drawn
PERCENTILES = (0.5, 50.0, 99.5)
SEED = 1234  # nnU-Net's


@dataclass(frozen=True)
class Sample:
    """Intensities of one channel of one case or more.

    Attributes:
        values: the different ones, ascending; or those that were drawn.
        weights: how many draws each of them stands for, or all of them.
    """

    values: "Array"
    weights: "Array | float"


def sample_of(foreground: "Array", draws: int) -> Sample:
    """Return the intensities of a case's foreground.

    Args:
        foreground: (N,) of one channel.
        draws: how many numbers nnU-Net draws of it.
    """
    import numpy as np

    if not len(foreground):
        return Sample(foreground, 1.0)
    low, high = float(foreground.min()), float(foreground.max())
    if high - low < COUNTED_RANGE and low == int(low):
        steps = (foreground - np.float32(low)).astype(np.int32)
        if (steps + np.float64(low) == foreground).all():
            counts = np.bincount(steps)
            (there,) = counts.nonzero()
            return Sample((there + low).astype(np.float32), counts[there] * (draws / len(steps)))
    if len(foreground) <= draws:
        return Sample(foreground, draws / len(foreground))
    chosen = np.random.RandomState(SEED).choice(foreground, draws, replace=True)
    return Sample(chosen, 1.0)


def joined(samples: Sequence[Sample]) -> Sample:
    """Return the sample of several cases."""
    import numpy as np

    values = np.concatenate([sample.values for sample in samples])
    if all(isinstance(s.weights, float) and s.weights == 1 for s in samples if len(s.values)):
        return Sample(values, 1.0)
    weights = np.concatenate([np.broadcast_to(s.weights, s.values.shape) for s in samples])
    different, place = np.unique(values, return_inverse=True)
    return Sample(different, np.bincount(place, weights))


def properties_of(sample: Sample) -> dict[str, float]:
    """Return what a fingerprint says of a channel.

    Args:
        sample: of all cases, not empty.
    """
    import numpy as np

    values, weights = sample.values, sample.weights
    if isinstance(weights, float):  # float32: in float64 it would take gigabytes more
        mean, std = values.mean(), values.std()
        low, median, high = np.percentile(values, PERCENTILES)
    else:
        mean = np.average(values.astype(np.float64), weights=weights)
        std = np.sqrt(np.average((values - mean) ** 2, weights=weights))
        ends = np.cumsum(weights) / weights.sum()
        places = np.minimum(np.searchsorted(ends, np.array(PERCENTILES) / 100), len(values) - 1)
        low, median, high = values[places]
    return {
        "mean": float(mean), "median": float(median), "std": float(std),
        "min": float(values.min()), "max": float(values.max()),
        "percentile_99_5": float(high), "percentile_00_5": float(low),
    }  # fmt: skip
