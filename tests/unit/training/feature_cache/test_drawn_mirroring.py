"""Mirrored views: all that is kept of one turns together, half of them, by the seed."""

import pytest
import torch

from nnunet_vit.training.feature_cache.drawn_mirroring import with_mirroring

pytestmark = pytest.mark.unit


def turned(step=3, axes=(-2, -1), count=400):
    place = torch.arange(6.0).reshape(1, 1, 2, 3).expand(count, 1, 2, 3)
    kept = {"images": place, "target.0": place.to(torch.int16), "feature.0": place[:, 0]}
    mirrored = with_mirroring(
        kept, axes, lambda name, value, axis: value.flip(axis), seed=7, step=step
    )
    assert torch.equal(kept["images"], place)
    return mirrored


def test_image_mask_and_features_turn_together():
    found = turned()
    assert torch.equal(found["images"], found["target.0"].float())
    assert torch.equal(found["images"][:, 0], found["feature.0"])
    corners = found["images"][:, 0, 0, 0].tolist()
    assert all(70 < corners.count(corner) < 130 for corner in (0.0, 2.0, 3.0, 5.0))


def test_only_along_the_axes_that_are_given():
    corners = turned(axes=[-1])["images"][:, 0, 0, 0].tolist()
    assert set(corners) == {0.0, 2.0}


def test_a_step_is_mirrored_the_same_each_time_and_another_one_differently():
    assert torch.equal(turned()["images"], turned()["images"])
    assert not torch.equal(turned()["images"], turned(step=4)["images"])
