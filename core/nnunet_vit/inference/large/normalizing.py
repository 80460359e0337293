"""nnU-Net's normalization of a tile by the numbers of the whole image."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnunet_vit.data.checks.images import UNIT_RANGE
from nnunet_vit.errors import DataError
from nnunet_vit.inference.large.whole_look import Numbers, WholeLook
from nnunet_vit.inference.loaded_model import LoadedModel

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

Z_SCORE, RESCALED = "ZScoreNormalization", "RescaleTo01Normalization"
OF_PIXEL = ("CTNormalization", "NoNormalization", UNIT_RANGE)
LEAST = 1e-8  # nnU-Net divides by no less
Change = Callable[["Array"], "Array"]  # of float32


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
    plans = model.plans.foreground_intensity_properties_per_channel
    masked = model.configuration.use_mask_for_norm
    of_nonzero = (mask and scheme == Z_SCORE for mask, scheme in zip(masked, schemes, strict=True))
    if look.holes and any(of_nonzero):
        raise DataError(
            f"{name} holds {look.holes} pixels that are 0 within its nonzero area, which the model "
            "normalizes by itself: that takes the whole image in memory.",
            fix="cut it into parts, or write 1 in place of 0.",
        )
    every = zip(schemes, masked, look.channels, range(len(schemes)), strict=True)
    return [
        _change(scheme, use_mask, numbers, properties=plans[str(channel)], name=name)
        for scheme, use_mask, numbers, channel in every
    ]


def normalized(tile: "Array", changes: Sequence[Change]) -> "Array":
    """Return a tile (C, Y, X) as the network takes it, in float32."""
    values = tile.astype(np.float32)
    return np.stack([change(own) for change, own in zip(changes, values, strict=True)])


def _change(
    scheme: str, use_mask: bool, numbers: Numbers, *, properties: dict[str, Any], name: str
) -> Change:
    if scheme == Z_SCORE:
        mean, deviation = np.float32(numbers.mean), np.float32(numbers.deviation)
        return lambda values: _shifted(values, mean, deviation)
    if scheme == RESCALED:
        low = np.float32(numbers.low)
        return lambda values: _shifted(values, low, np.float32(numbers.high) - low)
    if scheme == UNIT_RANGE and not 0 <= numbers.low <= numbers.high <= 255:
        raise DataError(
            f"{name} holds values from {numbers.low:g} to {numbers.high:g}; a channel named "
            "rgb_to_0_1 holds 0 to 255.",
            fix="save it with 8 bits per channel.",
        )
    return _of_nnunet(scheme, use_mask, properties)


def _shifted(values: "Array", less: np.float32, divisor: np.float32) -> "Array":
    values -= less
    values /= max(divisor, np.float32(LEAST))
    return values


def _of_nnunet(scheme: str, use_mask: bool, properties: dict[str, Any]) -> Change:
    import nnunetv2.preprocessing.normalization.default_normalization_schemes as schemes

    own = getattr(schemes, scheme)(use_mask, properties)
    return lambda values: own.run(values, None)


def unknown_schemes(schemes: Sequence[str]) -> Iterator[str]:
    """Yield names of normalizations that only the whole image can be given to."""
    yield from (name for name in schemes if name not in (Z_SCORE, RESCALED, *OF_PIXEL))
