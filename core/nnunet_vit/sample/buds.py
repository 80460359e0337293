"""Where vessels start and where they want to go: trunks at the disc and forks on the way."""

import cmath
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy

from nnunet_vit.sample.anatomy import Eye

THINNEST_RADIUS = 1.0 / 256
TRUNK_RADIUS = 3.5 / 256


@dataclass(frozen=True)
class Arcade:
    """The course of a main vessel: a parabola that closes again behind the macula.

    `openness` is the square of the height over the distance from the disc, `closing` how fast the
    height falls off, `vertical` is 1 above the macula and `horizontal` is -1 on the nasal side.
    """

    openness: float
    closing: float
    vertical: int
    horizontal: int

    def height(self, distance: float) -> float:
        """Return the height over the axis at a horizontal distance from the disc."""
        return math.sqrt(self.openness * distance) * (1 - self.closing * distance**2)

    def heading(self, position: complex) -> float:
        """Return the direction, radians, that leads from a position along the course."""
        distance = max(self.horizontal * position.real, 0.004)
        slope = (self.height(distance + 0.004) - self.height(distance)) / 0.004
        slope += 6.0 * (self.height(distance) - self.vertical * position.imag)
        return cmath.phase(complex(self.horizontal, self.vertical * slope))


@dataclass(frozen=True)
class Bud:
    """The tip of a vessel; `course` is its arcade, or the direction that it keeps, radians."""

    position: complex
    heading: float
    radius: float
    course: Arcade | float
    length: float
    generation: int
    is_artery: bool


def trunk_buds(random: numpy.random.Generator, eye: Eye, is_artery: bool) -> Iterator[Bud]:
    """Yield the buds of the arcades above and below, then of the small vessels of the disc."""
    for vertical in (1, -1):
        stem = TRUNK_RADIUS * random.uniform(0.88, 1.0) * (0.76 if is_artery else 1.0)
        # Arteries enter on the nasal side of their veins, so that the two do not hide each other.
        start = complex(random.uniform(-0.026, -0.014) if is_artery else 0.004, vertical * 0.004)
        temporal_share = random.uniform(0.58, 0.72)
        for horizontal, share in ((1, temporal_share), (-1, 1 - temporal_share)):
            yield Bud(
                position=start,
                heading=vertical * (math.pi / 2 - horizontal * random.uniform(0.05, 0.3)),
                radius=stem * share ** (1 / 3),
                course=_arcade(random, vertical, horizontal, is_artery=is_artery),
                length=0.9,
                generation=0,
                is_artery=is_artery,
            )
    yield _small_trunk(random, eye, random.uniform(-0.35, 0.35), is_artery=is_artery)
    yield _small_trunk(random, eye, math.pi + random.uniform(-0.5, 0.5), is_artery=is_artery)


def _small_trunk(
    random: numpy.random.Generator, eye: Eye, direction: float, *, is_artery: bool
) -> Bud:
    """Return a small vessel that leaves the disc to the macula or straight to the nasal side."""
    start = cmath.rect(0.5 * min(eye.disc_radii), direction)
    radius = THINNEST_RADIUS * random.uniform(1.0, 1.4)
    length = random.uniform(0.12, 0.22) if abs(direction) < 1 else random.uniform(0.15, 0.35)
    return Bud(start, direction, radius, direction, length, 1, is_artery)


def _arcade(
    random: numpy.random.Generator, vertical: int, horizontal: int, *, is_artery: bool
) -> Arcade:
    """Draw the course of one main vessel; arteries run inside of their veins."""
    if horizontal > 0:
        openness = random.uniform(0.11, 0.14) if is_artery else random.uniform(0.16, 0.22)
        return Arcade(openness, random.uniform(0.3, 1.1), vertical, horizontal)
    openness = random.uniform(0.10, 0.22) if is_artery else random.uniform(0.30, 0.60)
    return Arcade(openness, 0.0, vertical, horizontal)


def fork(random: numpy.random.Generator, eye: Eye, tip: Bud, *, side: int) -> tuple[Bud, list[Bud]]:
    """Split a tip by Murray's law, parent^3 = sum of child^3; too thin children do not grow.

    Args:
        random: draws the child's share, angle and length.
        eye: within its disc no vessel forks.
        tip: the parent where it forks.
        side: 1 for a child to the left of the parent's heading, -1 to the right.

    Returns:
        The parent after the fork and its child, if there is one.
    """
    share = random.uniform(0.12, 0.4)
    radius = tip.radius * share ** (1 / 3)
    if radius < 0.8 * THINNEST_RADIUS or abs(tip.position) < 1.3 * max(eye.disc_radii):
        return tip, []
    heading = tip.heading + side * math.radians(random.uniform(35.0, 65.0))
    child = replace(
        tip,
        heading=heading,
        radius=max(radius, THINNEST_RADIUS),
        course=_child_course(random, eye, replace(tip, heading=heading), side=side),
        length=(radius / THINNEST_RADIUS) * random.uniform(0.10, 0.20),
        generation=tip.generation + 1,
    )
    return replace(tip, radius=max(tip.radius * (1 - share) ** (1 / 3), THINNEST_RADIUS)), [child]


def _child_course(random: numpy.random.Generator, eye: Eye, tip: Bud, *, side: int) -> float:
    """Return where a child goes: to the macula from inside an arcade, else on as it starts."""
    course = tip.course
    inside = isinstance(course, Arcade) and course.horizontal > 0 and side == -course.vertical
    if not inside:
        return tip.heading - side * math.radians(random.uniform(-10.0, 25.0))
    aim = eye.macula + complex(*random.normal(0.0, 0.05, 2))
    return cmath.phase(aim - tip.position)
