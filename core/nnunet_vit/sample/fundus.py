"""One synthetic fundus photograph with the exact mask of its optic disc and its vessels."""

import numpy
from numpy.typing import NDArray

from nnunet_vit.sample.anatomy import Eye, random_eye
from nnunet_vit.sample.rasters import draw_vessels
from nnunet_vit.sample.surface import (
    Plane,
    add_disc,
    disc_distance,
    pixel_places,
    retina_colours,
    uneven_light,
)
from nnunet_vit.sample.vessels import vessel_trees

OPTIC_DISC = 1
VESSEL = 2
# How strongly blood takes red, green and blue light; arteries carry brighter blood.
VEIN_ABSORPTION = numpy.array([0.40, 1.05, 1.60])
ARTERY_ABSORPTION = numpy.array([0.15, 0.80, 1.25])


def fundus_image(
    random: numpy.random.Generator, image_size: int
) -> tuple[NDArray[numpy.uint8], NDArray[numpy.uint8]]:
    """Draw one eye and return its photograph and its mask.

    Args:
        random: the only source of chance.
        image_size: the side of the square image, pixels.

    Returns:
        The photograph (H, W, 3), 0 to 255, and the mask (H, W): 0 background, 1 optic disc,
        2 vessel; a vessel over the disc is a vessel.
    """
    eye = random_eye(random)
    places = pixel_places(image_size)
    distance = disc_distance(eye, places)
    left_light, vessels = _vessels(random, eye, image_size)
    colours = add_disc(random, eye, retina_colours(random, eye, places), distance=distance)
    lit = colours * left_light * uneven_light(random, eye, places)[..., None]
    field = (eye.field_radius - numpy.abs(places)) * image_size
    mask = numpy.where(distance <= 1, OPTIC_DISC, 0).astype(numpy.uint8)
    mask[vessels] = VESSEL
    mask[field < 0] = 0
    return _photograph(random, lit * numpy.clip(field + 0.5, 0, 1)[..., None]), mask


def _vessels(
    random: numpy.random.Generator, eye: Eye, image_size: int
) -> tuple[Plane, NDArray[numpy.bool_]]:
    """Return the light that all vessels leave, (H, W, 3), and where they are, (H, W)."""
    trees = vessel_trees(random, eye)
    contrast = random.uniform(0.75, 1.2)
    light = numpy.ones((image_size, image_size, 3))
    mask = numpy.zeros((image_size, image_size), bool)
    for is_artery, absorption in ((False, VEIN_ABSORPTION), (True, ARTERY_ABSORPTION)):
        own = [vessel for vessel in trees if vessel.is_artery == is_artery]
        layers = draw_vessels(own, eye, image_size)
        depth = layers.depth * (1 - (0.45 if is_artery else 0.2) * layers.reflex)
        light *= 1 - depth[..., None] * (1 - numpy.exp(-contrast * absorption))
        mask |= layers.mask
    return light, mask


def _photograph(random: numpy.random.Generator, light: Plane) -> NDArray[numpy.uint8]:
    """Blur a little, add the sensor's noise and round, (H, W, 3)."""
    from scipy.ndimage import gaussian_filter

    blur = random.uniform(0.4, 0.75) * len(light) / 256
    sharp: Plane = gaussian_filter(light, (blur, blur, 0))
    grain = random.normal(size=light.shape[:2])[..., None] + 0.6 * random.normal(size=light.shape)
    noise = grain * random.uniform(1.2, 3.2) * (0.25 + sharp / 255)
    return numpy.clip(numpy.rint(sharp + noise), 0, 255).astype(numpy.uint8)
