"""The least size of a connected part of a mask, as the command line gives it."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nnunet_vit.errors import ConfigError, DataError

WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*(px|mm2|mm3)?", re.IGNORECASE)
PIXELS = "px"
DIMENSIONS = {"mm2": 2, "mm3": 3}


@dataclass(frozen=True)
class LeastSize:
    """A size.

    Attributes:
        value: in the unit.
        unit: px: pixels or voxels; mm2 or mm3.
    """

    value: float
    unit: str

    def __str__(self) -> str:
        """Return it as the command line has it."""
        return f"{self.value:g}{self.unit}"

    def in_voxels(self, shape: Sequence[int], spacing: Sequence[float]) -> float:
        """Return it as a number of voxels of a mask.

        Args:
            shape: of the mask, (Z, Y, X); Z is 1 for a plane.
            spacing: between the centres of its voxels, mm.

        Raises:
            DataError: it is of planes and the mask is a volume, or the other way round.
        """
        if self.unit == PIXELS:
            return self.value
        problem, remedy = self.misfit(shape)
        if problem:
            raise DataError(f"The mask {problem}.", f"{remedy}.")
        return self.value / math.prod(spacing[-DIMENSIONS[self.unit] :])

    def misfit(self, shape: Sequence[int]) -> tuple[str, str]:
        """Return why it is none of an image's, and what to do; or nothing.

        Args:
            shape: (Z, Y, X); Z is 1 for a plane.
        """
        own = 2 if shape[0] == 1 else 3
        if self.unit == PIXELS or DIMENSIONS[self.unit] == own:
            return "", ""
        what = "a plane, which has mm2" if own == 2 else "a volume, which has mm3"
        return f"is {what}; given: --min-size {self}", f"--min-size …mm{own}"


def least_size(text: str) -> LeastSize:
    """Return the size that a text means: 50, 50px, 12.5mm2 or 40mm3.

    Raises:
        ConfigError: it means none.
    """
    match = WRITTEN.fullmatch(text.strip())
    if match is None or float(match[1]) == 0:
        raise ConfigError(
            f"--min-size {text}: allowed: a number greater than 0 of pixels or voxels, or with "
            "mm2 or mm3.",
            fix="--min-size 50, --min-size 12.5mm2 or --min-size 40mm3",
        )
    return LeastSize(float(match[1]), (match[2] or PIXELS).lower())
