"""What a look at a sound image measures besides: its values, how they are stored, its content."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.data.checks.nifti_header import hidden_numbers
from nnunet_vit.data.checks.raster_reading import Raster, bands_of
from nnunet_vit.data.checks.stored_spacing import SAID_BY, spacing_fault

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

BITS = {"1": "1 bit", "I": "16 bits", "F": "float"}  # by the first letter of Pillow's mode


@dataclass(frozen=True)
class ImageFigures:
    """The figures of a case's images.

    Attributes:
        content: equal for equal pixels, however they are stored.
        lows: the least value of each channel.
        highs: the greatest.
        means: the mean.
        stored: how each file stores its pixels: `RGB, 8 bits`; empty for what is no picture.
        hidden: how many values that are not finite the reader has replaced by 0.
        unsaid: whether a header says no spacing, for which the reader takes 1.
    """

    content: str
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    means: tuple[float, ...]
    stored: tuple[str, ...]
    hidden: int = 0
    unsaid: bool = False

    @property
    def constant(self) -> list[int]:
        """The channels that hold one value alone, counted from 0."""
        pairs = zip(self.lows, self.highs, strict=True)
        return [channel for channel, (low, high) in enumerate(pairs) if low == high]


def measured(
    files: Sequence[Path], rasters: Sequence[Raster], ending: str, *, reader: str
) -> ImageFigures:
    """Return the figures of a case's images.

    Args:
        files: of the case.
        rasters: the same as read, all sound.
        ending: file_ending of dataset.json.
        reader: nnU-Net's, by class name.
    """
    digest = hashlib.blake2b(digest_size=16)
    planes = [plane for raster in rasters for plane in raster.values]
    lows = tuple(float(plane.min()) for plane in planes)
    highs = tuple(float(plane.max()) for plane in planes)
    for plane, low, high in zip(planes, lows, highs, strict=True):
        digest.update(f"{plane.shape}".encode())
        digest.update(_compact(plane, low, high))
    return ImageFigures(
        digest.hexdigest(),
        lows,
        highs,
        tuple(float(plane.mean(dtype="float64")) for plane in planes),
        tuple(_stored(file) for file in files),
        sum(hidden_numbers(file, ending, reader) for file in files),
        ending.lower() in SAID_BY and any(spacing_fault(f, ending.lower())[0] for f in files),
    )


def _compact(plane: "Array", low: float, high: float) -> bytes:
    """Return the values as bytes, a fourth of them for pictures of 8 bits."""
    import numpy as np

    small = plane.astype(np.uint8) if low >= 0 and high <= 255 else plane
    same = small is plane or bool((small == plane).all())
    return np.ascontiguousarray(small if same else plane).tobytes()


def _stored(file: Path) -> str:
    mode = bands_of(file)
    return f"{mode.partition(';')[0]}, {BITS.get(mode[0], '8 bits')}" if mode else ""
