"""Branching trees of thinning vessels that leave the optic disc and curve round the macula."""

import cmath
import math
from collections import deque
from dataclasses import dataclass, replace

import numpy
from numpy.typing import NDArray

from nnunet_vit.sample.anatomy import Eye
from nnunet_vit.sample.buds import THINNEST_RADIUS, Arcade, Bud, fork, trunk_buds

STEP = 1 / 256
AVASCULAR_RADIUS = 0.045
# A branch starts within its parent's own surroundings, so it is free to leave them first.
FREE_STEPS = 9
CELL = 2.5 / 256

Cells = set[tuple[int, int]]


@dataclass(frozen=True)
class Vessel:
    """One unbranched vessel: (N,) centres in the disc's frame and (N,) radii, image shares."""

    points: NDArray[numpy.complex128]
    radii: NDArray[numpy.float64]
    is_artery: bool


def vessel_trees(random: numpy.random.Generator, eye: Eye) -> list[Vessel]:
    """Grow all vessels of an eye, the veins first and of each kind the trunks first."""
    return [vessel for is_artery in (False, True) for vessel in _tree(random, eye, is_artery)]


def _tree(random: numpy.random.Generator, eye: Eye, is_artery: bool) -> list[Vessel]:
    """Grow the vessels of one kind; they keep away from each other, as in a real retina."""
    waiting = deque(trunk_buds(random, eye, is_artery))
    vessels: list[Vessel] = []
    taken: Cells = set()
    while waiting:
        vessel, buds = _grow(random, eye, waiting.popleft(), taken=taken)
        if len(vessel.points) > FREE_STEPS:
            vessels.append(vessel)
            waiting.extend(buds)
            taken |= _surroundings(vessel)
    return vessels


def _grow(
    random: numpy.random.Generator, eye: Eye, bud: Bud, *, taken: Cells
) -> tuple[Vessel, list[Bud]]:
    """Walk from a bud until the vessel leaves the field, meets another or has its length."""
    tips, buds, bend, side = [bud], list[Bud](), 0.0, int(random.choice([-1, 1]))
    next_fork = _steps_to_fork(random)
    wander = random.normal(0.0, 0.030 if bud.generation else 0.018, int(bud.length / STEP) + 1)
    for step, push in enumerate(wander):
        bend = 0.85 * bend + push
        tip = _advance(tips[-1], bend)
        crowded = bud.generation > 0 and step >= FREE_STEPS and _cell(tip.position) in taken
        if crowded or not _may_live(eye, tip):
            break
        if step > next_fork:
            tip, children = fork(random, eye, tip, side=side)
            buds.extend(children)
            side, next_fork = -side, step + _steps_to_fork(random)
        tips.append(tip)
    points = numpy.array([tip.position for tip in tips])
    return Vessel(points, numpy.array([tip.radius for tip in tips]), bud.is_artery), buds


def _steps_to_fork(random: numpy.random.Generator) -> int:
    """Draw how many steps a vessel goes until it forks."""
    return int(random.integers(11, 27))


def _advance(tip: Bud, bend: float) -> Bud:
    """Move a tip by one step: turn to its course, wander a little, thin a little."""
    course = tip.course
    wanted = course.heading(tip.position) if isinstance(course, Arcade) else course
    heading = tip.heading + 0.09 * math.remainder(wanted - tip.heading, math.tau) + bend
    position = tip.position + STEP * cmath.exp(1j * heading)
    radius = max(tip.radius * 0.9975, THINNEST_RADIUS)
    return replace(tip, position=position, heading=heading, radius=radius)


def _may_live(eye: Eye, tip: Bud) -> bool:
    """Tell whether a tip is still in the field and outside of the macula's avascular zone."""
    return eye.inside_field(tip.position) and abs(tip.position - eye.macula) > AVASCULAR_RADIUS


def _cell(position: complex) -> tuple[int, int]:
    """Return the cell of a coarse grid that holds a position."""
    return math.floor(position.real / CELL), math.floor(position.imag / CELL)


def _surroundings(vessel: Vessel) -> Cells:
    """Return the cells that a vessel passes and their neighbours."""
    passed = {_cell(complex(point)) for point in vessel.points}
    return {(x + i, y + j) for x, y in passed for i in (-1, 0, 1) for j in (-1, 0, 1)}
