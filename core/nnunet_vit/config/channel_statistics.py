"""What a network subtracts from its input channels and divides them by."""

from typing import NamedTuple


class ChannelStatistics(NamedTuple):
    """One value per input channel, or three for images of one channel that is repeated.

    Attributes:
        mean: subtracted.
        std: divided by.
    """

    mean: list[float]
    std: list[float]
