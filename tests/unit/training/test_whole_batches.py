"""Where patches are augmented: what is decided, refused and told, and what the loader then does."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from outside_packages import documented
from replayed_draws import nnunets_list
from small_training import Shown

from nnunet_vit.augmentation.kind import PatchFacts
from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.training.dataloading import augmenter
from nnunet_vit.training.run_transforms import transforms_of_run
from nnunet_vit.training.whole_batches import (
    DRAWN,
    DrawnBatches,
    check_augmentation_device,
    whole_batches,
)

pytestmark = pytest.mark.unit

SCHEMES = ["ZScoreNormalization"] * 3
HOLES = documented("loss_and_augmentation.md", "An augmentation of your own")
REFUSED = (
    "train.augmentation_device: gpu augments whole batches. train.augmentation.holes: "
    "BlankRectangleTransform works on single patches."
)


@pytest.fixture
def holes(fake_head):
    """Install a package's augmentation for this test."""
    fake_head("holes", HOLES, distribution="x-holes", group="nnunet_vit.augmentations")


def decided(place="auto", device="cpu", begun="", augmentation="nnunet"):
    """Return the trainer, its loader and what whole batches are augmented with."""
    train = ViTTrainConfig(augmentation_device=place, augmentation=augmentation)
    log = []
    trainer = SimpleNamespace(
        run=SimpleNamespace(train=train),
        device=torch.device(device),
        augmented_on=begun,
        progress=Shown(),
        print_to_log_file=log.append,
        configuration_manager=SimpleNamespace(patch_size=(32, 28), normalization_schemes=SCHEMES),
    )
    usual = SimpleNamespace(transforms=nnunets_list())
    transforms = transforms_of_run(usual, train.augmentation, PatchFacts((32, 28), SCHEMES))
    loader = SimpleNamespace(transforms=transforms)
    found = whole_batches(trainer, loader)
    assert log == trainer.progress.lines
    assert (found is None) == (loader.transforms is transforms)
    assert (found is not None) == (loader.transforms is None)
    assert trainer.augmented_on == ("cpu" if found is None else "gpu")
    return trainer, found


@pytest.mark.parametrize(
    ("place", "device", "begun", "whole"),
    [
        ("auto", "cpu", "", False),
        ("auto", "cuda", "", False),
        ("auto", "cuda", "gpu", True),
        ("cpu", "cuda", "", False),
        ("gpu", "cpu", "", True),
        ("auto", "cuda", "cpu", False),
        ("auto", "cpu", "gpu", True),
        ("cpu", "cpu", "gpu", False),
    ],
)
def test_what_is_decided(place, device, begun, whole):
    trainer, found = decided(place, device, begun)
    assert (found is not None) == whole
    assert trainer.progress.lines == []


def test_a_package_that_works_on_patches_is_refused(holes):
    with pytest.raises(ConfigError) as caught:
        decided("gpu", augmentation={"holes": 1})
    assert caught.value.problem == REFUSED
    assert "train.augmentation_device: cpu" in caught.value.fix


def test_it_is_refused_before_anything_is_prepared(holes):
    refused = ViTTrainConfig(augmentation_device="gpu", augmentation={"holes": 1})
    with pytest.raises(ConfigError) as caught:
        check_augmentation_device(refused, SCHEMES)
    assert caught.value.problem == REFUSED
    for place in ("auto", "cpu"):
        check_augmentation_device(
            ViTTrainConfig(augmentation_device=place, augmentation={"holes": 1}), SCHEMES
        )
    check_augmentation_device(ViTTrainConfig(augmentation_device="gpu"), SCHEMES)


class Larger:
    """Stands in for nnU-Net's loader: patches from numpy's random numbers."""

    def __next__(self):
        images = torch.from_numpy(np.random.standard_normal((4, 3, 46, 41))).float()
        return {"data": images, "target": (images[:, :1] > 0).to(torch.int16), "keys": list("abcd")}


@pytest.mark.parametrize(("first", "workers"), [(0, 0), (0, 2), (3, 1), (3, 2)])
def test_a_batch_depends_on_seed_and_number_alone(first, workers):
    def drawn(first, workers):
        _, batched = decided("gpu")
        source = augmenter(
            DrawnBatches(Larger(), batched), 7, first, workers=workers, pin_memory=False
        )
        try:
            batches = [next(source) for _ in range(6 - first)]
        finally:
            if workers:
                source.close()
        torch.manual_seed(first + workers)  # of a process that has done other things
        return [batched(each["data"], each["target"], each[DRAWN]) for each in batches]

    whole = drawn(0, 0)[first:]
    for one, other in zip(whole, drawn(first, workers), strict=True):
        assert all(map(torch.equal, one, other))
    assert not torch.equal(whole[0][0], whole[1][0])
    assert whole[0][0].shape == (4, 3, 32, 28)
