"""nnU-Net's own list of transforms, and a patch for it."""

import numpy as np
import pytest
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

SIZE = (48, 40)


@pytest.fixture
def nnunets():
    """`nnunets()` returns nnU-Net's transforms of a 2D training, made anew."""

    def transforms(mirror_axes=(0, 1)):
        angle = np.pi
        return nnUNetTrainer.get_training_transforms(
            SIZE, (-angle, angle), None, mirror_axes, False, use_mask_for_norm=[False] * 3
        )

    return transforms


@pytest.fixture
def augmented():
    """`augmented(transforms, seed)` returns image and mask of a patch that they have changed."""

    def call(transforms, seed=0):
        rows, columns = np.mgrid[:72, :64]
        image = torch.from_numpy(np.stack([rows / 72, columns / 64, 0.5 + 0 * rows]))
        mask = torch.from_numpy((rows - 36) ** 2 + (columns - 30) ** 2 < 15**2)
        torch.manual_seed(seed)
        np.random.seed(seed)
        found = transforms(image=image.float(), segmentation=mask[None].to(torch.int16))
        return found["image"], found["segmentation"]

    return call
