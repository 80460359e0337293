"""Vessels as pixels: drawn on a finer grid, then averaged, so that their edges are smooth."""

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from nnunet_vit.sample.anatomy import Eye
from nnunet_vit.sample.buds import TRUNK_RADIUS
from nnunet_vit.sample.vessels import Vessel

FINER = 4
# Under this radius the mask of a vessel would fall apart into single pixels.
THINNEST_PIXELS = 0.75


@dataclass(frozen=True)
class VesselLayers:
    """What is drawn of a set of vessels, each (H, W).

    `mask` is true where vessels cover half of a pixel or more, `depth` is how much light they take
    (0 to 1, wide vessels take more), `reflex` is the share of the bright line along the middle.
    """

    mask: NDArray[numpy.bool_]
    depth: NDArray[numpy.float32]
    reflex: NDArray[numpy.float32]


def draw_vessels(vessels: list[Vessel], eye: Eye, image_size: int) -> VesselLayers:
    """Draw vessels into one set of layers.

    Args:
        vessels: centres and radii, shares of the image's side.
        eye: places the vessels in the image.
        image_size: the side of the image, pixels.

    Returns:
        Layers of (image_size, image_size).
    """
    fine = image_size * FINER
    depth = numpy.zeros((fine, fine), numpy.float32)
    reflex = numpy.zeros((fine, fine), numpy.float32)
    for vessel in vessels:
        radii = numpy.maximum(vessel.radii * fine, THINNEST_PIXELS * FINER)
        centres, radii = _dense(eye.pixels(vessel.points, fine), radii)
        strength = 0.5 + 0.5 * min(1.0, float(vessel.radii.mean()) / TRUNK_RADIUS)
        _stamp(depth, centres, radii, value=strength)
        _stamp(reflex, centres, radii * 0.28, value=1.0)
    return VesselLayers(_average(depth > 0) >= 0.5, _average(depth), _average(reflex))


def _dense(
    centres: NDArray[numpy.float64], radii: NDArray[numpy.float64]
) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
    """Add points between the points, so that the discs drawn at them overlap well."""
    count = int(numpy.hypot(*numpy.diff(centres, axis=0).T).sum() / 1.5) + 2
    old, new = numpy.arange(len(centres)), numpy.linspace(0, len(centres) - 1, count)
    between = numpy.stack([numpy.interp(new, old, axis) for axis in centres.T], axis=1)
    return between, numpy.interp(new, old, radii)


def _stamp(
    canvas: NDArray[numpy.float32],
    centres: NDArray[numpy.float64],
    radii: NDArray[numpy.float64],
    *,
    value: float,
) -> None:
    """Draw a disc of a value at every centre, in place; higher values win."""
    reach = int(numpy.ceil(radii.max())) + 1
    window = numpy.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, 1, -1)
    pixels = numpy.floor(centres).astype(int).T[:, :, None] + window
    offsets = pixels + 0.5 - centres.T[:, :, None]
    inside = (offsets**2).sum(axis=0) <= radii[:, None] ** 2
    inside &= ((pixels >= 0) & (pixels < len(canvas))).all(axis=0)
    rows, columns = pixels[0][inside], pixels[1][inside]
    canvas[rows, columns] = numpy.maximum(canvas[rows, columns], value)


def _average(fine: NDArray[numpy.generic]) -> NDArray[numpy.float32]:
    """Average squares of FINER x FINER pixels into one."""
    side = len(fine) // FINER
    blocks = fine.reshape(side, FINER, side, FINER)
    averages: NDArray[numpy.float32] = blocks.mean(axis=(1, 3), dtype=numpy.float32)
    return averages
