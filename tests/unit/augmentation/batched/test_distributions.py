"""Whole batches have the distributions of batchgeneratorsv2's patches, by their random numbers."""

import numpy as np
import pytest
import torch
from replayed_draws import name_of, nnunets_list, only, patches
from scipy.stats import binomtest, ks_2samp

from nnunet_vit.augmentation.batched.batched_set import BatchedSet

pytestmark = pytest.mark.unit

DRAWS, BATCH = 2000, 250
UNLIKELY = 0.001  # p of a test that may fail by chance: the seeds are fixed
SHARES = {
    "GaussianNoiseTransform": 0.1,
    "GaussianBlurTransform": 0.2 * 0.875,  # each channel in every second patch of those
    "MultiplicativeBrightnessTransform": 0.15,
    "ContrastTransform": 0.15,
    "SimulateLowResolutionTransform": 0.25 * 0.875,
    "GammaTransform": 0.1,  # the first one
}


@pytest.fixture(scope="module")
def both():
    """What nnU-Net's whole set makes of one patch, and of batches of it: images and masks."""
    image, mask = (each[0] for each in patches(1, seed=5, channels=2))
    transforms = nnunets_list(use_mask_for_norm=[False] * 2)
    torch.manual_seed(11)
    np.random.seed(11)
    singles = [
        patch for _ in range(DRAWS) for patch in [_single(transforms, image.clone(), mask.clone())]
    ]
    batched, whole = BatchedSet(transforms), []
    for _ in range(DRAWS // BATCH):
        images = image.expand(BATCH, *image.shape).clone()
        masks = mask.expand(BATCH, *mask.shape).clone()
        whole.append(batched(images, masks, batched.drawn(BATCH, image.shape)))
    return [[torch.stack(each) for each in zip(*singles, strict=True)],
            [torch.cat(each) for each in zip(*whole, strict=True)]]  # fmt: skip


def _single(transforms, image, mask):
    patch = {"image": image, "segmentation": mask}
    for transform in transforms:
        patch = transform(**patch)
    return patch["image"], patch["segmentation"]


IMAGE_STATISTICS = {
    "mean": lambda images: images.mean((1, 2, 3)),
    "spread": lambda images: images.std((1, 2, 3)),
    "lowest": lambda images: images.amin((1, 2, 3)),
    "highest": lambda images: images.amax((1, 2, 3)),
    "roughness": lambda images: images.diff(dim=3).abs().mean((1, 2, 3)),
    "a pixel": lambda images: images[:, 1, 9, 20],
    "one channel to the other": lambda images: images[:, 0].mean((1, 2)) - images[:, 1].std((1, 2)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", IMAGE_STATISTICS)
def test_images(both, name):
    one, other = (IMAGE_STATISTICS[name](images).numpy() for images, _ in both)
    assert ks_2samp(one, other).pvalue > UNLIKELY


@pytest.mark.slow
@pytest.mark.parametrize("label", [0, 1, 2, 3])
def test_labels(both, label):
    rows = torch.arange(32.0)[:, None]
    for measured in (
        lambda masks: (masks == label).float().mean((1, 2, 3)),  # how many
        lambda masks: ((masks == label) * rows).sum((1, 2, 3)) / (masks == label).sum((1, 2, 3)),
    ):
        one, other = (measured(masks).nan_to_num(-1).numpy() for _, masks in both)
        assert ks_2samp(one, other).pvalue > UNLIKELY


@pytest.mark.slow
def test_where_labels_are(both):
    one, other = ((masks == 2).float().mean((0, 1)) for _, masks in both)
    error = torch.sqrt((one * (1 - one) + other * (1 - other)) / DRAWS).clamp_min(1e-3)
    assert ((one - other) / error).abs().max() < 5  # 896 pixels


@pytest.mark.parametrize("name", SHARES)
def test_shares_of_patches(name):
    transforms = nnunets_list()
    place = [name_of(each) for each in transforms].index(name)
    torch.manual_seed(2)
    np.random.seed(2)
    draws = BatchedSet(transforms).drawn(DRAWS, (3, 46, 41)).draws[place]
    happened = sum(each is not None for each in draws)
    assert binomtest(happened, DRAWS, SHARES[name]).pvalue > UNLIKELY


def test_shares_of_rotated_and_mirrored_patches():
    transforms = nnunets_list()
    torch.manual_seed(4)
    np.random.seed(4)
    found = BatchedSet(transforms).drawn(DRAWS, (3, 46, 41)).draws
    draws = dict(zip(map(name_of, transforms), found, strict=True))
    moved = [each for each in draws["SpatialTransform"] if each is not None]
    assert binomtest(len(moved), DRAWS, 1 - 0.8**2).pvalue > UNLIKELY
    scaled = sum(abs(np.linalg.det(each) - 1) > 1e-6 for each in moved)
    assert binomtest(int(scaled), DRAWS, 0.2).pvalue > UNLIKELY
    turned = sum(abs(each[0, 1]) > 1e-6 for each in moved)
    assert binomtest(int(turned), DRAWS, 0.2).pvalue > UNLIKELY
    for axis in (0, 1):
        mirrored = sum(each is not None and axis in each for each in draws["MirrorTransform"])
        assert binomtest(mirrored, DRAWS, 0.5).pvalue > UNLIKELY


def test_noise():
    """Its spread is that of batchgeneratorsv2, in all channels alike, and its pixels are normal."""
    transforms = only("GaussianNoiseTransform", nnunets_list(mirror=None))[:2]
    zeros, masks = torch.zeros(DRAWS, 3, 46, 41), torch.zeros(DRAWS, 1, 46, 41, dtype=torch.int16)
    torch.manual_seed(6)
    np.random.seed(6)
    theirs = torch.stack([
        _single(transforms, image.clone(), mask.clone())[0]
        for image, mask in zip(zeros, masks, strict=True)
    ])  # fmt: skip
    batched = BatchedSet(transforms)
    ours, _ = batched(zeros, masks, batched.drawn(DRAWS, (3, 46, 41)))
    spreads = [noise.std((1, 2, 3)) for noise in (theirs, ours)]
    assert ks_2samp(*spreads).pvalue > UNLIKELY
    assert ((ours.std((2, 3)) / spreads[1][:, None] - 1).abs() < 0.15).all()
    pixels = [
        (noise / spread[:, None, None, None])[:, :, ::9, ::9].flatten()
        for noise, spread in zip((theirs, ours), spreads, strict=True)
    ]
    assert ks_2samp(*pixels).pvalue > UNLIKELY
    assert torch.corrcoef(ours[:, :, 5, :6].flatten(1).T).fill_diagonal_(0).abs().max() < 0.15
