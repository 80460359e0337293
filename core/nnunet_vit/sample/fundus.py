"""One drawn fundus photograph with the exact mask of its optic disc and its vessels."""

import cmath
import math

import numpy
from numpy.typing import NDArray

from nnunet_vit.sample.vessels import FIELD_RADIUS, TRUNK, Array, Random, Vessels, grow

Pixels = NDArray[numpy.uint8]
OPTIC_DISC, VESSEL = 1, 2
# How strongly the blood of veins and of arteries takes red, green and blue light.
ABSORPTION = (numpy.array([0.40, 1.05, 1.60]), numpy.array([0.15, 0.80, 1.25]))
THINNEST_PIXELS = 0.75  # a vessel of a smaller radius would fall apart


def fundus_image(random: Random, image_size: int) -> tuple[Pixels, Pixels]:
    """Draw an eye of `image_size` pixels per edge and return its photograph and its mask.

    The photograph is (H, W, 3), 0 to 255; the mask is (H, W): 0 background, 1 optic disc,
    2 vessel, over the disc too. The same chance draws the same eye at any size.
    """
    disc = complex(random.uniform(-0.20, -0.12), random.uniform(-0.04, 0.05))
    macula = disc + complex(random.uniform(0.25, 0.30), random.uniform(-0.07, 0.02))
    mirror, contrast = int(random.choice([-1, 1])), random.uniform(0.7, 1.15)
    depths = [_depth(grow(random, disc, macula, kind), image_size) for kind in (False, True)]
    right = (numpy.arange(image_size) + 0.5) / image_size - 0.5
    places = right - 1j * right[:, None]
    height, width = random.uniform(0.074, 0.098), random.uniform(0.067, 0.090)
    distance = numpy.hypot((places - disc).imag / height, (places - disc).real / width)
    mask = numpy.where(distance < 1, OPTIC_DISC, 0).astype(numpy.uint8)
    colours = _with_disc(random, _retina(random, abs(places - macula)), distance)
    for depth, absorption in zip(depths, ABSORPTION, strict=True):
        mask[depth > 0] = VESSEL
        colours *= 1 - depth[..., None] * (1 - numpy.exp(-contrast * absorption))
    mask[abs(places) > FIELD_RADIUS] = 0
    photograph = _photograph(random, colours, places / FIELD_RADIUS)
    return photograph[:, ::mirror], mask[:, ::mirror]


def _depth(vessels: Vessels, size: int) -> Array:
    """Return how much light vessels take, (H, W): wide ones all that they absorb, others less."""
    from skimage.draw import polygon

    depth = numpy.zeros((size, size))
    for points, radii in reversed(vessels):  # the trunks lie over the starts of their branches
        strength = 0.42 + 0.58 * min(1.0, float(radii.mean()) / TRUNK)
        aside = 1j * numpy.exp(1j * numpy.angle(numpy.gradient(points)))
        wide = aside * numpy.maximum(radii, THINNEST_PIXELS / size)
        # The narrow ribbon is the reflex: the bright line along the middle of a wide vessel.
        for half, value in ((wide, strength), (0.28 * aside * radii, 0.7 * strength)):
            edge = size * numpy.concatenate([points + half, (points - half)[::-1]])
            rows, columns = size / 2 - 0.5 - edge.imag, size / 2 - 0.5 + edge.real
            depth[polygon(rows, columns, depth.shape)] = value
    return depth


def _noise(random: Random, hills: int, size: int) -> Array:
    """Return smooth noise (H, W) of deviation 1 with about so many hills per edge."""
    from scipy.ndimage import zoom

    noise = zoom(random.normal(size=(2 * hills, 2 * hills)), size / (2 * hills), order=3)
    return numpy.asarray(noise / noise.std())


def _retina(random: Random, from_macula: Array) -> Array:
    """Return the retina in even light, (H, W, 3), 0 to 255, with macula and faint deep vessels."""
    size = len(from_macula)
    red, green, blue = random.uniform((190, 0.40, 0.15), (228, 0.53, 0.26))
    texture = sum(0.03 * _noise(random, hills, size) * hills**-0.4 for hills in (2, 5, 11, 23, 47))
    deep = random.uniform(0, 0.06) * numpy.exp(-((_noise(random, 9, size) / 0.35) ** 2))
    macula = numpy.exp(-((from_macula[..., None] / 0.095) ** 2)) * [0.16, 0.26, 0.22]
    fovea = numpy.exp(-((from_macula[..., None] / 0.032) ** 2)) * [0.07, 0.12, 0.10]
    waves = (1 + texture + deep)[..., None] * (1 - random.uniform(0.7, 1.15) * (macula + fovea))
    return numpy.asarray(red * waves * [1, green, blue])


def _with_disc(random: Random, colours: Array, distance: Array) -> Array:
    """Draw the bright disc with its brighter cup over the retina; its edge is at distance 1."""
    from scipy.special import expit

    rim = expit((1 - distance) / random.uniform(0.05, 0.10))[..., None]
    cup = expit((random.uniform(0.35, 0.62) - distance) / 0.09)[..., None]
    halo = random.uniform(0.02, 0.10) * numpy.exp(-(((distance - 1) / 0.45) ** 2))[..., None]
    tissue, pale = random.uniform((246, 172, 92), (247, 196, 122)), random.uniform(226, 240)
    disc = (tissue + cup * ([255, pale, pale - 46] - tissue)) * random.uniform(0.92, 1.0)
    return numpy.asarray(colours * (1 + halo) * (1 - rim) + disc * rim)


def _photograph(random: Random, colours: Array, places: Array) -> Pixels:
    """Light the field (radius 1) unevenly, blur a little, add a sensor's noise and round."""
    from scipy.ndimage import gaussian_filter

    slope = places * cmath.rect(random.uniform(0.02, 0.19), random.uniform(0, math.tau))
    light: Array = (1.02 + slope.real) * (1 - random.uniform(0.2, 0.42) * abs(places) ** 2.5)
    blur = random.uniform(0.5, 0.8) * len(places) / 256  # pixels
    lit = colours * (light * (abs(places) <= 1))[..., None]
    sharp = gaussian_filter(lit, (blur, blur, 0))
    grain = random.normal(size=light.shape)[..., None] + 0.6 * random.normal(size=lit.shape)
    noise = grain * random.uniform(1.2, 3.2) * (0.25 + sharp / 255)
    return numpy.asarray(numpy.rint(sharp + noise).clip(0, 255), numpy.uint8)
