"""Colour, stain and elastic deformation."""

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from skimage.color import hed2rgb, rgb2hed, rgb2yiq, yiq2rgb

from nnunet_vit.augmentation import own_augmentations
from nnunet_vit.augmentation.kind import PatchFacts
from nnunet_vit.augmentation.transforms.colour_jitter import ColourJitter, jittered
from nnunet_vit.augmentation.transforms.nnunet_set import of_strength
from nnunet_vit.augmentation.transforms.stain_jitter import StainJitter, restained
from nnunet_vit.config.augmentation_section import AugmentationSection
from nnunet_vit.training.run_transforms import transforms_of_run

pytestmark = pytest.mark.unit

RGB = PatchFacts((48, 40), ["RGBTo01Normalization"] * 3)


@pytest.fixture
def image():
    torch.manual_seed(0)
    return 0.3 + 0.4 * torch.rand(3, 9, 7)


def last(image):
    return image.movedim(0, -1).double().numpy()


def test_nothing_is_changed_by_factors_of_1(image):
    torch.testing.assert_close(jittered(image, [1, 1, 1], 0.0), image)
    torch.testing.assert_close(restained(image, [1, 1, 1], [0, 0, 0]), image)


def test_brightness_and_contrast(image):
    torch.testing.assert_close(jittered(image, [1.2, 1, 1], 0.0), 1.2 * image)
    grey = (torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1) * image).sum(0).mean()
    torch.testing.assert_close(jittered(image, [1, 0.8, 1], 0.0), grey + 0.8 * (image - grey))


@pytest.mark.parametrize(("saturation", "angle"), [(0.5, 0.0), (1.0, 0.3), (0.8, -1.0)])
def test_saturation_and_hue_are_turns_of_yiq(image, saturation, angle):
    y, i, q = np.moveaxis(rgb2yiq(last(image)), -1, 0)
    turned = saturation * np.exp(1j * angle) * (i + 1j * q)
    expected = yiq2rgb(np.stack([y, turned.real, turned.imag], -1)).clip(0, 1)
    np.testing.assert_allclose(
        last(jittered(image, [1, 1, saturation], angle)), expected, atol=1e-5
    )


def test_stains_are_those_of_skimage(image):
    factors, offsets = [1.1, 0.9, 1.05], [0.02, -0.01, 0.03]
    unit = -np.log(1e-6)  # of skimage's amounts, in natural units of optical density
    amounts = rgb2hed(last(image)) * unit
    inside = amounts.min(-1) > 0.01  # skimage knows no negative amounts
    expected = hed2rgb((factors * amounts + offsets) / unit)
    ours = last(restained(image, factors, offsets))
    assert inside.sum() > 5
    np.testing.assert_allclose(ours[inside], expected[inside], atol=1e-5)


@pytest.mark.parametrize("jitter", [ColourJitter(0.4, 0.4, 0.9, 0.3), StainJitter(0.9, 0.9)])
def test_what_comes_out_is_in_0_to_1(jitter):
    for seed in range(20):
        np.random.seed(seed)
        image = torch.cat([torch.zeros(3, 2, 5), torch.ones(3, 2, 5), torch.rand(3, 4, 5)], 1)
        found = jitter(image=image.clone())["image"]
        assert torch.isfinite(found).all() and 0 <= found.min() and found.max() <= 1
        assert not torch.equal(found, image)


def test_elastic_bends_image_and_mask_alike(nnunets, augmented):
    kind = own_augmentations()["elastic"]
    plain = ComposeTransforms(of_strength(nnunets(None).transforms, 0))
    transforms = of_strength(nnunets(None).transforms, 0)
    options = kind.options(probability=1.0, strength=2.0)
    bent = ComposeTransforms(kind.added(transforms, options, RGB))
    (before, mask), (after, bent_mask) = (augmented(each) for each in (plain, bent))
    moved = (after[0] - before[0]).abs().max() * 72
    assert 0.3 < moved < 2 * 0.03 * 40 + 1  # rows: at most the displacement, and its centring
    assert not torch.equal(mask, bent_mask) and set(bent_mask.unique().tolist()) == {0, 1}
    # the mask is still the disc around row 36, column 30, in the image's own coordinates
    distance = ((72 * after[0] - 36) ** 2 + (64 * after[1] - 30) ** 2).sqrt()
    assert distance[bent_mask[0] == 1].max() < 16.5 and distance[bent_mask[0] == 0].min() > 13.5


@pytest.mark.parametrize("name", sorted(own_augmentations()))
def test_the_same_seed_gives_the_same_bits(nnunets, augmented, name):
    section = AugmentationSection(**{name: {"probability": 1.0}, "strength": 0.5})
    ours = transforms_of_run(nnunets(), section, RGB)
    one, again, other = (augmented(ours, seed) for seed in (3, 3, 4))
    assert torch.equal(one[0], again[0]) and torch.equal(one[1], again[1])
    assert not torch.equal(one[0], other[0])


def test_what_is_added_comes_before_noise_and_blur(nnunets):
    section = AugmentationSection(colour=1.0, stain=1.0)
    names = [
        type(getattr(each, "transform", each)).__name__
        for each in transforms_of_run(nnunets(), section, RGB).transforms
    ]
    assert names[:4] == [
        "SpatialTransform", "StainJitter", "ColourJitter", "GaussianNoiseTransform",
    ]  # fmt: skip
