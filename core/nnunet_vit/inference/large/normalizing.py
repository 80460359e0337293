"""nnU-Net's normalization of a tile by the numbers of the whole image."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnunet_vit.data.checks.image_values import UNIT_RANGE
from nnunet_vit.errors import DataError
from nnunet_vit.inference.large.whole_look import Numbers, WholeLook
from nnunet_vit.inference.loaded_model import LoadedModel

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

Z_SCORE, RESCALED = "ZScoreNormalization", "RescaleTo01Normalization"
OF_PIXEL = ("CTNormalization", "NoNormalization", UNIT_RANGE)
LEAST = np.float32(1e-8)  # nnU-Net divides by no less
Change = Callable[["Array", "Array"], "Array"]  # of float32, and of where a channel is not 0


def masked_channels(model: LoadedModel) -> list[bool]:
    """Return for each channel whether it is normalized only where the image is not 0.

    nnU-Net fills holes in that area of a volume, but none in a picture: it makes a volume of one
    plane of it, in which each pixel lies at the border.
    """
    schemes, asked = (
        model.configuration.normalization_schemes,
        model.configuration.use_mask_for_norm,
    )
    return [scheme == Z_SCORE and bool(mask) for scheme, mask in zip(schemes, asked, strict=True)]


def changes_of(model: LoadedModel, look: WholeLook, name: str) -> list[Change]:
    """Return what normalizes each channel.

    Args:
        model: whose plans say how.
        look: at the image.
        name: of the image, for the error.

    Raises:
        DataError: the values do not suit the normalization.
    """
    schemes = model.configuration.normalization_schemes
    properties = model.plans.foreground_intensity_properties_per_channel
    found: list[Change] = []
    for scheme, masked, numbers in zip(schemes, masked_channels(model), look.channels, strict=True):
        if scheme == UNIT_RANGE:
            _check_unit_range(numbers, name)
        if scheme in OF_PIXEL:
            found.append(_of_nnunet(scheme, properties[str(len(found))]))
        else:
            found.append(_by_numbers(scheme, masked, numbers))
    return found


def normalized(tile: "Array", changes: Sequence[Change]) -> "Array":
    """Return a tile (C, Y, X) as the network takes it, in float32."""
    values, there = tile.astype(np.float32), (tile != 0).any(axis=0)
    return np.stack([change(own, there) for change, own in zip(changes, values, strict=True)])


def unknown_schemes(schemes: Sequence[str]) -> Iterator[str]:
    """Yield names of normalizations that only the whole image can be given to."""
    yield from (name for name in schemes if name not in (Z_SCORE, RESCALED, *OF_PIXEL))


def _by_numbers(scheme: str, masked: bool, numbers: Numbers) -> Change:
    low, high = np.float32(numbers.low), np.float32(numbers.high)
    mean, deviation = np.float32(numbers.mean), np.float32(numbers.deviation)
    less, divisor = (mean, deviation) if scheme == Z_SCORE else (low, high - low)

    def change(values: "Array", there: "Array") -> "Array":
        where = there if masked else True
        np.subtract(values, less, out=values, where=where)
        np.divide(values, max(divisor, LEAST), out=values, where=where)
        return values

    return change


def _of_nnunet(scheme: str, properties: dict[str, Any]) -> Change:
    import nnunetv2.preprocessing.normalization.default_normalization_schemes as schemes

    own = getattr(schemes, scheme)(False, properties)
    return lambda values, there: own.run(values, None)


def _check_unit_range(numbers: Numbers, name: str) -> None:
    if not 0 <= numbers.low <= numbers.high <= 255:
        raise DataError(
            f"{name} holds values from {numbers.low:g} to {numbers.high:g}; a channel named "
            "rgb_to_0_1 holds 0 to 255.",
            fix="save it with 8 bits per channel.",
        )
