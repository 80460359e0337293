"""The colours of the retina and of the optic disc, and the light that falls on them."""

import cmath
import math

import numpy
from numpy.typing import NDArray

from nnunet_vit.sample.anatomy import Eye

Plane = NDArray[numpy.float64]
Places = NDArray[numpy.complex128]


def pixel_places(image_size: int) -> Places:
    """Return how far right of (real) and above (imaginary) the image's centre each pixel lies.

    Args:
        image_size: the side of the image, pixels.

    Returns:
        (H, W), shares of the image's side.
    """
    places = (numpy.arange(image_size) + 0.5) / image_size - 0.5
    right, down = numpy.meshgrid(places, places)
    return right - 1j * down


def disc_distance(eye: Eye, places: Places) -> Plane:
    """Return the distance from the disc's centre, (H, W); 1 is the exact edge of the disc."""
    height, width = eye.disc_radii
    turned = (places - eye.disc_place) * cmath.exp(-1j * eye.disc_tilt)
    return numpy.hypot(turned.real / width, turned.imag / height)


def smooth_noise(random: numpy.random.Generator, cells: int, image_size: int) -> Plane:
    """Return noise (H, W) of mean 0 and deviation near 1 with about `cells` hills per side."""
    from scipy.ndimage import zoom

    count = min(2 * cells, image_size)
    noise: Plane = zoom(random.normal(size=(count, count)), image_size / count, order=3)
    return noise / max(float(noise.std()), 1e-6)


def retina_colours(random: numpy.random.Generator, eye: Eye, places: Places) -> Plane:
    """Return the evenly lit retina without disc and vessels, (H, W, 3), 0 to 255."""
    size = len(places)
    red = random.uniform(190, 228)
    base = numpy.array([red, red * random.uniform(0.40, 0.53), red * random.uniform(0.15, 0.26)])
    slow = smooth_noise(random, 2, size)
    texture = sum(smooth_noise(random, cells, size) * cells**-0.4 for cells in (5, 11, 23, 47))
    choroid = numpy.exp(-((smooth_noise(random, 9, size) / 0.35) ** 2)) * random.uniform(0, 0.06)
    tint = numpy.array([0.015, 0.045, 0.06])
    waves = 1 + slow[..., None] * tint + (texture * 0.03 + choroid)[..., None]
    colours: Plane = base * waves * _macula(random, eye, places)
    return colours


def _macula(random: numpy.random.Generator, eye: Eye, places: Places) -> Plane:
    """Return how much light the macula leaves of each colour, (H, W, 3)."""
    distance = numpy.abs(places - eye.place(eye.macula))
    depth = random.uniform(0.7, 1.15)
    broad = numpy.exp(-((distance / 0.095) ** 2)) * depth
    fovea = numpy.exp(-((distance / 0.032) ** 2)) * depth
    return 1 - broad[..., None] * [0.16, 0.26, 0.22] - fovea[..., None] * [0.07, 0.12, 0.10]


def add_disc(random: numpy.random.Generator, eye: Eye, colours: Plane, *, distance: Plane) -> Plane:
    """Draw the bright disc with its brighter cup and soft rim over the retina, (H, W, 3)."""
    softness = random.uniform(0.05, 0.10)
    rim = 1 / (1 + numpy.exp(numpy.clip((distance - 1) / softness, -40, 40)))
    cup = 1 / (1 + numpy.exp(numpy.clip((distance - eye.cup_share) / 0.09, -40, 40)))
    halo = numpy.exp(-((numpy.maximum(distance - 1, 0) / 0.45) ** 2)) * random.uniform(0.02, 0.10)
    bright = random.uniform(0.92, 1.0)
    tissue = numpy.array([246, random.uniform(172, 196), random.uniform(92, 122)]) * bright
    pale = numpy.array([255, random.uniform(226, 240), random.uniform(172, 200)]) * bright
    disc = tissue + cup[..., None] * (pale - tissue)
    disc = disc * (1 + 0.02 * smooth_noise(random, 24, len(distance)))[..., None]
    around = colours * (1 + halo)[..., None]
    return around + rim[..., None] * (disc - around)


def uneven_light(random: numpy.random.Generator, eye: Eye, places: Places) -> Plane:
    """Return the light at each pixel, (H, W): a slope in a chance direction and a vignette."""
    direction = cmath.rect(random.uniform(0.05, 0.4), random.uniform(0, math.tau))
    slope = (places * direction.conjugate()).real
    vignette = random.uniform(0.2, 0.42) * (numpy.abs(places) / eye.field_radius) ** 2.5
    return (1.02 + slope) * (1 - vignette)
