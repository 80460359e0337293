"""A dataset's fingerprint with nnU-Net's meaning, of cases that have been read anyway.

What is computed of one case is nnU-Net's own; that it is put together here lets the check of a
dataset, which reads the same files, do it in the same breath.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnunet_vit.data.preprocessing.sampled_intensities import (
    Sample,
    joined,
    properties_of,
    sample_of,
)
from nnunet_vit.errors import DataError
from nnunet_vit.files.json_file import JsonMapping, JsonObject

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

SAMPLES = 10e7  # of a channel, in all cases together: nnU-Net's num_foreground_voxels_for_…


@dataclass(frozen=True)
class CaseFingerprint:
    """What a fingerprint takes from one case.

    Attributes:
        shape: (Z, Y, X) after the border of zeros was cut off.
        spacing: (Z, Y, X), as nnU-Net's reader gives it.
        share: of the pixels that are left then.
        samples: of the foreground, by channel.
    """

    shape: tuple[int, ...]
    spacing: Sequence[float]
    share: float
    samples: tuple[Sample, ...]


def samples_per_case(cases: int) -> int:
    """Return how many intensities of each channel nnU-Net draws from a case."""
    return int(SAMPLES // cases)


def fingerprint_of_case(
    images: "Array", label: "Array", properties: JsonMapping, *, samples: int
) -> CaseFingerprint:
    """Return the fingerprint of a case.

    Args:
        images: (C, Z, Y, X) as nnU-Net's reader returns them.
        label: (1, Z, Y, X) likewise.
        properties: likewise.
        samples: how many intensities to draw.
    """
    import numpy as np
    from nnunetv2.preprocessing.cropping.cropping import crop_to_nonzero

    # it writes into what it is given
    cropped, mask, _ = crop_to_nonzero(images, label.copy())
    foreground = mask[0] > 0
    shape = cropped.shape[1:]
    return CaseFingerprint(
        tuple(map(int, shape)),
        properties["spacing"],
        float(np.prod(shape) / np.prod(images.shape[1:])),
        tuple(sample_of(channel[foreground], samples) for channel in cropped),
    )


def whole_fingerprint(cases: Mapping[str, CaseFingerprint]) -> JsonObject:
    """Return nnU-Net's fingerprint of a dataset.

    Args:
        cases: in nnU-Net's order, not empty.

    Raises:
        DataError: no mask has a pixel of a foreground class.
    """
    import numpy as np

    found = list(cases.values())
    channels = range(len(found[0].samples))
    if not all(any(len(case.samples[channel].values) for case in found) for channel in channels):
        raise DataError(
            "No mask has a pixel of a foreground class.",
            fix="check that the masks hold the labels of dataset.json.",
        )
    return {
        "spacings": [[_number(edge) for edge in case.spacing] for case in found],
        "shapes_after_crop": [list(case.shape) for case in found],
        "foreground_intensity_properties_per_channel": {
            # one channel after the other: fractions of all cases take hundreds of megabytes
            str(channel): properties_of(joined([case.samples[channel] for case in found]))
            for channel in channels
        },
        "median_relative_size_after_cropping": float(np.median([case.share for case in found])),
    }


def _number(edge: float) -> float:
    """Return a number that JSON can hold; an integer stays one."""
    return edge if type(edge) in (int, float) else float(edge)
