"""The intensities that nnU-Net samples for a fingerprint, counted instead of listed.

nnU-Net keeps 100,000,000 numbers per channel, whatever the dataset's size. Pictures and CT hold few
different values: how often each was drawn says the same, in kilobytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

COUNTED_RANGE = 1 << 20  # integers in a wider range are listed
PERCENTILES = (0.5, 50.0, 99.5)


@dataclass(frozen=True)
class Sample:
    """Intensities of one channel of one case or more.

    Attributes:
        values: the different ones, ascending; or all of them, as drawn, where nothing is counted.
        counts: how often each was drawn; None: each value once.
    """

    values: "Array"
    counts: "Array | None"


def sample_of(drawn: "Array") -> Sample:
    """Return intensities as a sample, counted where they are integers in a narrow range."""
    import numpy as np

    values = np.asarray(drawn, np.float32)
    if not len(values):
        return Sample(values, None)
    low, high = float(values.min()), float(values.max())
    if high - low < COUNTED_RANGE and low == int(low):
        steps = (values - np.float32(low)).astype(np.int64)
        if (steps + low == values).all():
            counts = np.bincount(steps)
            (there,) = counts.nonzero()
            return Sample((there + low).astype(np.float32), counts[there])
    return Sample(values, None)


def joined(samples: Sequence[Sample]) -> Sample:
    """Return the sample of several cases."""
    import numpy as np

    values = np.concatenate([sample.values for sample in samples])
    if any(sample.counts is None and len(sample.values) for sample in samples):
        drawn = [
            sample.values if sample.counts is None else np.repeat(sample.values, sample.counts)
            for sample in samples
        ]
        return Sample(np.concatenate(drawn), None)
    counts = np.concatenate([s.counts for s in samples if s.counts is not None] or [values])
    different, place = np.unique(values, return_inverse=True)
    return Sample(different, np.bincount(place, counts).astype(np.int64))


def properties_of(sample: Sample) -> dict[str, float]:
    """Return what a fingerprint says of a channel.

    Args:
        sample: of all cases, not empty.
    """
    import numpy as np

    values, counts = sample.values, sample.counts
    low, median, high = _percentiles(sample)
    if counts is None:  # float32: as many as there are would take gigabytes more
        mean, std = values.mean(), values.std()
    else:
        mean = np.average(values.astype(np.float64), weights=counts)
        std = np.sqrt(np.average((values - mean) ** 2, weights=counts))
    return {
        "mean": float(mean), "median": median, "std": float(std),
        "min": float(values.min()), "max": float(values.max()),
        "percentile_99_5": high, "percentile_00_5": low,
    }  # fmt: skip


def _percentiles(sample: Sample) -> list[float]:
    """Return the percentiles as numpy has them by default, linear between two neighbours."""
    import numpy as np

    if sample.counts is None:
        return [float(value) for value in np.percentile(sample.values, PERCENTILES)]
    ends = np.cumsum(sample.counts)
    places = np.array(PERCENTILES) / 100 * (ends[-1] - 1)
    below, above = (
        sample.values[np.searchsorted(ends, whole, side="right")].astype(np.float64)
        for whole in (np.floor(places), np.ceil(places))
    )
    return [float(value) for value in below + (above - below) * (places % 1)]
