"""nnU-Net's own list of training transforms, made stronger or weaker, and added to."""

from collections.abc import Callable
from typing import Any

import numpy as np
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.intensity.brightness import MultiplicativeBrightnessTransform
from batchgeneratorsv2.transforms.intensity.contrast import ContrastTransform
from batchgeneratorsv2.transforms.intensity.gamma import GammaTransform
from batchgeneratorsv2.transforms.intensity.gaussian_noise import GaussianNoiseTransform
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.spatial.low_resolution import SimulateLowResolutionTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.random import RandomTransform

from nnunet_vit.augmentation.kind import Transforms
from nnunet_vit.errors import PluginError

Range = tuple[float, float]


def spatial_of(transforms: Transforms) -> SpatialTransform:
    """Return the transform that cuts out the patch, rotated and scaled.

    Raises:
        PluginError: there is none: the installed nnU-Net is another one.
    """
    for transform in transforms:
        if isinstance(transform, SpatialTransform):
            return transform
    raise PluginError("nnU-Net's augmentation has no SpatialTransform, which others build on.")


def after_spatial(
    transforms: Transforms, transform: BasicTransform, probability: float
) -> Transforms:
    """Return the list with one more, right behind the cutting of the patch.

    There intensities are those of the image still: noise, blur and nnU-Net's own come later.
    """
    place = transforms.index(spatial_of(transforms)) + 1
    added = RandomTransform(transform, apply_probability=probability)
    return [*transforms[:place], added, *transforms[place:]]


def without_stopwatch(transforms: Transforms) -> Transforms:
    """Let the blur convolve always, where nnU-Net's takes what is faster by a stopwatch.

    Its two ways differ in the last bits, and a seed would not tell which is taken. Below 1000
    pixels convolving is faster, so that is what nearly all trainings have had.
    """
    for each in transforms:
        inner = each.transform if isinstance(each, RandomTransform) else each
        if isinstance(inner, GaussianBlurTransform):
            inner.benchmark = False
    return transforms


def of_strength(transforms: Transforms, strength: float) -> Transforms:
    """Return nnU-Net's list with all its ranges that many times as wide; 0: nothing but mirroring.

    How often each is applied stays, and mirroring, which has no range. The transforms themselves
    are changed.

    Raises:
        PluginError: a random transform whose range nobody knows: the installed nnU-Net is another.
    """
    spatial = spatial_of(transforms)
    if strength == 0:
        spatial.p_rotation = spatial.p_scaling = spatial.p_elastic_deform = 0
        return [each for each in transforms if not isinstance(each, RandomTransform)]
    spatial.rotation = _turned(spatial.rotation, strength)
    spatial.scaling = _power(spatial.scaling, strength)
    for each in transforms:
        if isinstance(each, RandomTransform):
            _widen(each.transform, strength)
    return transforms


# Any: batchgeneratorsv2 has no types
def _widen(transform: Any, strength: float) -> None:  # noqa: ANN401
    for kind, (attribute, widened) in _RANGES.items():
        if isinstance(transform, kind):
            setattr(transform, attribute, widened(getattr(transform, attribute), strength))
            return
    raise PluginError(
        f"train.augmentation.strength: nnU-Net's {type(transform).__name__} is not known here.",
        fix="strength 1, or the version of nnU-Net that this package was made for.",
    )


def _turned(given: Range, strength: float) -> Range:
    return max(-np.pi, strength * given[0]), min(np.pi, strength * given[1])


def _power(given: Range, strength: float) -> Range:
    """Return factors as far from 1 as those, that many times: half as large becomes a quarter."""
    return given[0] ** strength, given[1] ** strength


def _from_zero(given: Range, strength: float) -> Range:
    return given[0], strength * given[1]


def _from_lowest(given: Range, strength: float) -> Range:
    return given[0], given[0] + strength * (given[1] - given[0])


# Any: BGContrast, which holds a range and draws from it
def _contrast(given: Any, strength: float) -> Any:  # noqa: ANN401
    return type(given)(_power(given.contrast_range, strength))


_RANGES: dict[type, tuple[str, Callable[[Any, float], Any]]] = {
    GaussianNoiseTransform: ("noise_variance", _from_zero),
    GaussianBlurTransform: ("blur_sigma", _from_lowest),
    MultiplicativeBrightnessTransform: ("multiplier_range", _contrast),
    ContrastTransform: ("contrast_range", _contrast),
    SimulateLowResolutionTransform: ("scale", _power),
    GammaTransform: ("gamma", _contrast),
}
