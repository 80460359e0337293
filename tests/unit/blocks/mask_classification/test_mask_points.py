"""Which pixels masks are compared at."""

import pytest
import torch

from nnunet_vit.blocks.mask_classification.points import PointSampler

pytestmark = pytest.mark.unit

IMAGES = torch.tensor([0, 1, 2])


def sampler_of(points, share=0.5):
    """Return a sampler for images of 9 x 13 with all, some and no valid pixels, and the pixels."""
    torch.manual_seed(0)
    valid = torch.rand(3, 9, 13) < share
    valid[0], valid[2] = True, False
    return PointSampler(valid, points), valid.flatten(1)


def chosen(points, image):
    return points.pixels[image][points.counted[image] == 1]


@pytest.mark.parametrize("points", [117, 118, 12544])
def test_few_pixels_are_all_taken_once_without_chance(points):
    sampler, valid = sampler_of(points)
    state = torch.get_rng_state()
    masks = torch.randn(3, 4, 5, generator=torch.Generator())
    for found in (sampler.uniform(IMAGES), sampler.uncertain(IMAGES, masks)):
        for image in range(3):
            assert torch.equal(chosen(found, image), valid[image].nonzero()[:, 0])
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("more", [0, 7])
def test_an_image_with_few_is_exact_beside_one_with_many(more):
    _, valid = sampler_of(1)
    points = int(valid[1].sum()) + more
    sampler, _ = sampler_of(points)
    for found in (sampler.uniform(IMAGES), sampler.uncertain(IMAGES, torch.randn(3, 9, 13))):
        assert found.pixels.shape == (3, points)
        assert torch.equal(chosen(found, 1), valid[1].nonzero()[:, 0])
        assert len(chosen(found, 0)) == points < 117
        assert len(chosen(found, 2)) == 0


def test_many_are_drawn_evenly_among_the_valid():
    sampler, valid = sampler_of(20)
    pixels = sampler.uniform(torch.ones(3000, dtype=torch.long)).pixels
    counts = pixels.flatten().bincount(minlength=117)
    assert torch.equal(counts > 0, valid[1])
    wanted = 60000 / valid[1].sum()
    assert ((counts[valid[1]] - wanted).abs() < 5 * wanted.sqrt()).all()


def test_three_quarters_are_where_the_mask_is_unsure():
    sampler, _ = sampler_of(32)
    certain = torch.full((9, 13), 9.0)
    certain[4:7] = 0.1  # a third of the pixels
    mask = torch.where(torch.arange(13) % 2 == 0, certain, -certain)
    found = sampler.uncertain(torch.zeros(200, dtype=torch.long), mask.expand(200, -1, -1))
    unsure = torch.isin(found.pixels // 13, torch.tensor([4, 5, 6])).float()
    assert unsure[:, :24].mean() > 0.99
    assert unsure[:, 24:].mean().item() == pytest.approx(1 / 3, abs=0.04)


def test_the_seed_decides():
    sampler, _ = sampler_of(20)
    masks, found = torch.randn(3, 9, 13), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append((sampler.uniform(IMAGES).pixels, sampler.uncertain(IMAGES, masks).pixels))
    assert all(map(torch.equal, found[0], found[1]))
    assert not any(map(torch.equal, found[0], found[2]))


def test_masks_are_read_at_the_centres_of_pixels():
    sampler, _ = sampler_of(117)
    pixels = torch.arange(117).expand(2, -1)
    masks = torch.randn(2, 3, 9, 13)
    torch.testing.assert_close(
        sampler.sampled(masks, pixels), masks.flatten(2), rtol=1e-4, atol=1e-4
    )
    coarse = (torch.arange(0, 10)[:, None] * torch.ones(1, 11)).expand(1, 1, -1, -1)
    rows = sampler.sampled(coarse, pixels[:1])[0, 0].reshape(9, 13)[1:-1, 6]
    torch.testing.assert_close(rows, (torch.arange(1, 8) + 0.5) / 9 * 10 - 0.5)
