"""A patch before and after its augmentation, with the random numbers of a training."""

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms

from nnunet_vit.training.shown_batch import _Beside, _pixels

pytestmark = pytest.mark.unit


class Shift(BasicTransform):
    """Adds random numbers of both generators, or draws them in vain."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, image, segmentation):
        drawn = float(torch.rand(1)) + np.random.uniform()
        image += self.factor * drawn
        return {"image": image, "segmentation": segmentation}


def patch():
    return {"image": torch.zeros(1, 2, 2), "segmentation": torch.ones(1, 2, 2)}


def test_the_augmented_patches_are_those_of_a_training():
    augmented, plain = (ComposeTransforms([Shift(factor)]) for factor in (1, 0))
    found = []
    for transforms in (augmented, _Beside(augmented, plain)):
        torch.manual_seed(1)
        np.random.seed(1)
        found.append([transforms(**patch())["image"] for _ in range(3)])
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
    assert not torch.equal(found[0][0], found[0][1])
    assert [image.eq(0).all() for image, _ in transforms.before] == [True] * 3


def test_pixels_of_pictures_are_in_0_to_255_again():
    image = torch.tensor([[[0.0, 0.5]], [[1.0, 1.2]], [[-0.1, 0.2]]])
    assert _pixels(image, 255.0).tolist() == [[[0, 255, 0], [128, 255, 51]]]
    assert _pixels(image, 1.0).shape == (1, 2, 3)
