"""Vessels of a drawn eye: they leave the optic disc, curve round the macula, fork and get thinner.

Positions are complex numbers, right (real) and above (imaginary) the image's centre; these and all
lengths are shares of the image's edge. Headings are degrees: 0 is right, 90 is up.
"""

import cmath
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

FIELD_RADIUS = 0.475
FORK_FREE_RADIUS = 0.105  # so near to the centre of the disc no vessel forks
VESSEL_FREE_RADIUS = 0.045  # so near to the macula there is no vessel
STEP = 1 / 256
THINNEST, TRUNK = 1.0 / 256, 3.5 / 256  # radii of the narrowest vessel and of the widest
CELL = 4.5 / 256  # vessels of one kind share no such cell, so they keep some distance
FREE_STEPS = 9  # a branch starts within its parent's cells, so it may leave them first

Random = numpy.random.Generator
Array = NDArray[Any]  # of positions or of numbers
Vessels = list[tuple[Array, Array]]  # centres and radii, (N,) both


@dataclass(frozen=True)
class Bud:
    """Where a vessel starts; within the length `bend` it turns from `heading` to `course`."""

    start: complex
    heading: float
    course: float
    bend: float
    radius: float
    length: float = 0.9
    is_trunk: bool = True


def grow(random: Random, disc: complex, macula: complex, is_artery: bool) -> Vessels:
    """Grow all arteries or all veins of an eye, the trunks first."""
    vessels, taken = Vessels(), set[complex]()
    waiting = list(_trunks(random, disc, is_artery))
    for bud in waiting:
        points = _walk(random, macula, bud, taken)
        if len(points) > FREE_STEPS:
            radii = bud.radius * 0.9975 ** numpy.arange(len(points))
            waiting += _forks(random, disc, points, radii)
            vessels.append((points, numpy.maximum(radii, THINNEST)))
            taken.update(numpy.round(points / CELL).tolist())
    return vessels


def _trunks(random: Random, disc: complex, is_artery: bool) -> Iterator[Bud]:
    """Yield the wide vessels above and below the disc, then the small ones beside it."""
    thin, near, far = (0.76, 0.14, 147) if is_artery else (1.0, 0.205, 129)
    for up in (1, -1):
        # Arteries enter on the nasal side of their veins, so that the two do not hide each other.
        start = disc + complex(random.uniform(-0.026, -0.014) if is_artery else 0, -up * 0.008)
        stem, share = TRUNK * thin * random.uniform(0.88, 1.0), random.uniform(0.58, 0.72)
        first, behind = random.uniform(73, 87), random.uniform(0, 14)
        bend, nasal = near * random.uniform(0.88, 1.12), far + random.uniform(-9, 9)
        yield Bud(start, up * first, -up * behind, bend, stem * share ** (1 / 3))
        yield Bud(start, up * (180 - first), up * nasal, 0.08, stem * (1 - share) ** (1 / 3))
    for heading in (random.uniform(-25, 25), random.uniform(155, 205)):
        start = disc + cmath.rect(0.04, math.radians(heading))
        yield Bud(start, heading, heading, 1.0, 1.2 * THINNEST, random.uniform(0.13, 0.30))


def _walk(random: Random, macula: complex, bud: Bud, taken: set[complex]) -> Array:
    """Follow a bud until it leaves the field, meets the macula or another, or has its length."""
    from scipy.ndimage import gaussian_filter1d

    steps = numpy.arange(math.ceil(bud.length / STEP))
    wander = gaussian_filter1d(random.normal(0, 30 if bud.is_trunk else 60, len(steps)), 5)
    turn = (bud.heading - bud.course) * numpy.exp(-steps * STEP / bud.bend)
    headings = bud.course + turn + wander - wander[0]
    points = bud.start + STEP * numpy.cumsum(numpy.exp(1j * numpy.radians(headings)))
    ends = (abs(points) > FIELD_RADIUS) | (abs(points - macula) < VESSEL_FREE_RADIUS)
    met = [cell in taken for cell in numpy.round(points / CELL).tolist()]
    ends |= numpy.array(met) & (steps >= FREE_STEPS) & (not bud.is_trunk)
    return points[: int(ends.argmax()) if ends.any() else None]


def _forks(random: Random, disc: complex, points: Array, radii: Array) -> Iterator[Bud]:
    """Yield branches to both sides in turn; the parent's radii shrink after each, in place."""
    side = random.choice([-1, 1])
    for step in numpy.cumsum(random.integers(10, 25, len(points) // 10)):
        if step < len(points) and abs(points[step] - disc) > FORK_FREE_RADIUS:
            share = random.uniform(0.12, 0.4)
            radius = radii[step] * share ** (1 / 3)  # Murray's law: parent^3 = sum of child^3
            ahead = numpy.angle(points[step] - points[step - 1], deg=True)
            heading = ahead + side * random.uniform(35, 65)
            course = heading - side * random.uniform(-10, 25)
            length = radius / THINNEST * random.uniform(0.10, 0.20)
            if radius > 0.8 * THINNEST:
                yield Bud(points[step], heading, course, 0.05, radius, length, is_trunk=False)
                radii[step:] *= (1 - share) ** (1 / 3)
                side = -side
