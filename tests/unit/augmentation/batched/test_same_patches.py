"""With the same parameters a whole batch becomes what batchgeneratorsv2 makes of its patches."""

import numpy as np
import pytest
import torch
from replayed_draws import Replay, name_of, nnunets_list, only, patches

from nnunet_vit.augmentation.transforms.nnunet_set import of_strength

pytestmark = pytest.mark.unit

BATCH = 100
SCALES = [[1, 1], [0.5, 0.5], [0.3, 0.25]]
RANDOM = [
    "SpatialTransform",
    "GaussianBlurTransform",
    "MultiplicativeBrightnessTransform",
    "ContrastTransform",
    "SimulateLowResolutionTransform",
    "GammaTransform",
    "MirrorTransform",
]


def compared(transforms, draws, **given):
    """Assert that images and masks are the same; return the share of labels that differ."""
    torch.manual_seed(3)
    np.random.seed(3)
    replay, differing, labels = Replay(transforms), 0, 0
    for seed in range(draws // BATCH):
        larger = patches(BATCH, seed, **given)
        images, masks = replay.whole(*larger)
        singles = replay.single(*larger)
        theirs = torch.stack([each["image"] for each in singles])
        torch.testing.assert_close(images, theirs, atol=2e-4, rtol=1e-4)
        levels = masks if isinstance(masks, list) else [masks]
        for place, level in enumerate(levels):
            segmentations = [each["segmentation"] for each in singles]
            other = torch.stack(
                [each[place] if isinstance(each, list) else each for each in segmentations]
            )
            assert (level.dtype, level.shape) == (other.dtype, other.shape)
            differing += int((level != other).sum())
            labels += level.numel()
    return differing / labels


def without_noise(transforms):
    return [each for each in transforms if name_of(each) != "GaussianNoiseTransform"]


@pytest.mark.parametrize("draws", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_the_whole_set(draws):
    assert compared(without_noise(nnunets_list(SCALES)), draws) < 1e-5


@pytest.mark.parametrize("name", RANDOM)
def test_each_transform_of_every_patch(name):
    assert compared(only(name, nnunets_list()), 100) < 1e-5


@pytest.mark.parametrize("strength", [0, 0.5, 3])
def test_other_strengths(strength):
    transforms = of_strength(nnunets_list(SCALES), strength)
    assert compared(without_noise(transforms), 100) < 1e-5


@pytest.mark.parametrize(
    "given",
    [
        {"mirror": None},
        {"mirror": (1,)},
        {"use_mask_for_norm": [True, False, True]},
        {"regions": [(1, 2, 3), (2, 3), 3]},
        {"regions": [[1, 2], 2], "ignore_label": 3},
    ],
)
def test_other_datasets(given):
    assert compared(without_noise(nnunets_list(SCALES, **given)), 100) < 1e-5


def test_one_channel_and_even_larger_patches():
    transforms = nnunets_list(use_mask_for_norm=[False])
    assert compared(without_noise(transforms), 100, channels=1, larger=(64, 50)) < 1e-5


def test_patches_that_fill_a_processors_memory_one_by_one(monkeypatch):
    monkeypatch.setattr("nnunet_vit.augmentation.batched.picked.ALONE", 1)
    assert compared(without_noise(nnunets_list(SCALES)), 100) < 1e-5


def test_settings_per_channel():
    transforms = without_noise(nnunets_list())
    for each in transforms:
        inner = getattr(each, "transform", each)
        if "synchronize_channels" in vars(inner):
            blurs = "Blur" in name_of(each)  # batchgeneratorsv2's fails where no channel is drawn
            inner.synchronize_channels, inner.p_per_channel = True, 1 if blurs else 0.6
        if "preserve_range" in vars(inner):
            inner.preserve_range = False
        if "p_retain_stats" in vars(inner):
            inner.p_retain_stats, inner.p_invert_image = 0.5, 0.5
    assert compared(transforms, 200) < 1e-5


def test_an_image_of_one_value_stays_finite():
    transforms = nnunets_list()
    for each in transforms:
        if "apply_probability" in vars(each):
            each.apply_probability = 0.0 if "Noise" in name_of(each) else 1.0
    replay = Replay(transforms)
    images, masks = torch.full((8, 3, 46, 41), 0.7), torch.ones(8, 1, 46, 41, dtype=torch.int16)
    found, _ = replay.whole(images, masks)
    theirs = torch.stack([each["image"] for each in replay.single(images, masks)])
    torch.testing.assert_close(found, theirs, atol=1e-3, rtol=1e-3)
