"""Where the parts of one synthetic eye lie, independent of the size of the image."""

import cmath
import math
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray


@dataclass(frozen=True)
class Eye:
    """The geometry of one eye; all lengths are shares of the image's side.

    Positions of vessels and of the macula are complex numbers in the disc's frame: 0 is the centre
    of the optic disc, the real axis points to the macula, the imaginary axis points up.
    """

    field_radius: float
    disc_place: complex
    temporal_side: int
    axis_tilt: float
    disc_radii: tuple[float, float]
    disc_tilt: float
    cup_share: float
    macula: complex

    def place(self, position: complex) -> complex:
        """Return where a position lies relative to the image's centre (real: right, up)."""
        turned = position * cmath.exp(1j * self.axis_tilt)
        return self.disc_place + complex(self.temporal_side * turned.real, turned.imag)

    def inside_field(self, position: complex) -> bool:
        """Tell whether a position lies within the circular field of view."""
        return abs(self.place(position)) < self.field_radius

    def pixels(self, positions: NDArray[numpy.complex128], side: int) -> NDArray[numpy.float64]:
        """Return the rows and columns of positions.

        Args:
            positions: (N,), shares of the image's side, in the disc's frame.
            side: the image's side, pixels.

        Returns:
            (N, 2) row and column, pixels; the centre of the first pixel lies at 0.5.
        """
        turned = positions * cmath.exp(1j * self.axis_tilt)
        columns = 0.5 + self.disc_place.real + self.temporal_side * turned.real
        rows = 0.5 - self.disc_place.imag - turned.imag
        return numpy.stack([rows, columns], axis=1) * side


def random_eye(random: numpy.random.Generator) -> Eye:
    """Draw a left or a right eye with its disc, cup and macula."""
    temporal_side = int(random.choice([-1, 1]))
    disc_column = -temporal_side * random.uniform(0.12, 0.20)
    radius = random.uniform(0.072, 0.092)
    return Eye(
        field_radius=random.uniform(0.465, 0.485),
        disc_place=complex(disc_column, random.uniform(-0.04, 0.05)),
        temporal_side=temporal_side,
        axis_tilt=math.radians(random.uniform(-12.0, 4.0)),
        disc_radii=(radius * random.uniform(1.0, 1.12), radius * random.uniform(0.9, 1.0)),
        disc_tilt=math.radians(random.uniform(-15.0, 15.0)),
        cup_share=random.uniform(0.35, 0.62),
        macula=complex(random.uniform(0.25, 0.30), random.uniform(-0.02, 0.01)),
    )
