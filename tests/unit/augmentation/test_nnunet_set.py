"""nnU-Net's own set, made stronger or weaker."""

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.base.basic_transform import ImageOnlyTransform
from batchgeneratorsv2.transforms.noise.gaussian_blur import GaussianBlurTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.random import RandomTransform

from nnunet_vit.augmentation.kind import PatchFacts
from nnunet_vit.augmentation.transforms.nnunet_set import (
    of_strength,
    spatial_of,
    without_stopwatch,
)
from nnunet_vit.config.augmentation_section import AugmentationSection
from nnunet_vit.errors import PluginError
from nnunet_vit.training.run_transforms import transforms_of_run

pytestmark = pytest.mark.unit

RGB = PatchFacts((48, 40), ["RGBTo01Normalization"] * 3)


def ranges(transforms):
    """Return what each random transform draws from, by the name of its class."""
    inner = [each.transform for each in transforms if isinstance(each, RandomTransform)]
    keys = ("noise_variance", "blur_sigma", "multiplier_range", "contrast_range", "scale", "gamma")
    found = {}
    for each in inner:
        value = next(vars(each)[key] for key in keys if key in vars(each))
        found[type(each).__name__] = getattr(value, "contrast_range", value)
    return found


def test_twice_as_strong(nnunets):
    transforms = of_strength(nnunets().transforms, 2)
    assert spatial_of(transforms).scaling == pytest.approx((0.49, 1.96))
    assert spatial_of(transforms).rotation == pytest.approx((-np.pi, np.pi))  # there is no more
    assert ranges(transforms) == {
        "GaussianNoiseTransform": (0, 0.2),
        "GaussianBlurTransform": (0.5, 1.5),
        "MultiplicativeBrightnessTransform": pytest.approx((0.5625, 1.5625)),
        "ContrastTransform": pytest.approx((0.5625, 1.5625)),
        "SimulateLowResolutionTransform": (0.25, 1),
        "GammaTransform": pytest.approx((0.49, 2.25)),
    }


def test_a_strength_of_1_changes_nothing(nnunets):
    assert ranges(of_strength(nnunets().transforms, 1)) == ranges(nnunets().transforms)


def test_half_as_strong_turns_half_as_far(nnunets):
    assert spatial_of(of_strength(nnunets().transforms, 0.5)).rotation == pytest.approx(
        (-np.pi / 2, np.pi / 2)
    )


def test_none_cuts_out_and_nothing_else(nnunets, augmented):
    transforms = ComposeTransforms(of_strength(nnunets(None).transforms, 0))
    (image, mask), (again, same) = (augmented(transforms, seed) for seed in (0, 1))
    assert image.shape == (3, 48, 40) and torch.equal(image, again) and torch.equal(mask, same)
    assert image[0, 0, 0] == pytest.approx(12 / 72)  # the middle of 72 rows


def test_mirroring_alone(nnunets, augmented):
    transforms = ComposeTransforms(of_strength(nnunets().transforms, 0))
    seen = {augmented(transforms, seed)[0].numpy().tobytes() for seed in range(40)}
    assert len(seen) == 4


def test_a_transform_that_nobody_knows_is_refused(nnunets):
    other = RandomTransform(ImageOnlyTransform())
    with pytest.raises(PluginError, match="nnU-Net's ImageOnlyTransform is not known here"):
        of_strength([*nnunets().transforms, other], 2)


def test_no_list_without_a_cut():
    with pytest.raises(PluginError, match="no SpatialTransform"):
        spatial_of([])


def test_the_blur_convolves_whatever_a_stopwatch_would_say(nnunets, monkeypatch):
    (blur,) = (
        each.transform
        for each in without_stopwatch(nnunets().transforms)
        if isinstance(getattr(each, "transform", None), GaussianBlurTransform)
    )
    monkeypatch.setattr(blur, "_benchmark_wrapper", None)  # would be called with a stopwatch
    blur.p_per_channel = 1
    image = torch.rand(3, 20, 20)
    assert not torch.equal(blur(image=image.clone())["image"], image)


def test_the_default_leaves_nnunets_objects(nnunets, augmented):
    usual = nnunets()
    before, content = list(usual.transforms), repr(usual.transforms)
    ours = transforms_of_run(usual, AugmentationSection(), RGB)
    assert all(one is other for one, other in zip(ours.transforms, before, strict=True))
    assert repr(ours.transforms) == content.replace("benchmark = True", "benchmark = False")
    theirs = nnunets()
    for seed in range(30):
        for one, other in zip(augmented(ours, seed), augmented(theirs, seed), strict=True):
            assert torch.equal(one, other)
