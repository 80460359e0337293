"""Augmentations that packages bring."""

from functools import partial

import pytest
import torch
from outside_packages import documented, hook_that_returns

from nnunet_vit.augmentation import named_augmentation
from nnunet_vit.augmentation.kind import PatchFacts
from nnunet_vit.config.augmentation_section import AugmentationSection
from nnunet_vit.errors import PluginError
from nnunet_vit.training.run_transforms import transforms_of_run

pytestmark = pytest.mark.unit

HOLES = documented("loss_and_augmentation.md", "An augmentation of your own")
GREY = PatchFacts((48, 40), ["ZScoreNormalization"] * 3)


@pytest.fixture
def fake_augmentation(fake_head):
    """Install an augmentation for this test alone: `fake_augmentation("holes", source)`."""
    return partial(fake_head, distribution="x-holes", group="nnunet_vit.augmentations")


def test_the_augmentation_of_the_documentation(fake_augmentation, nnunets, augmented):
    fake_augmentation("holes", HOLES)
    section = AugmentationSection(strength=0.0, mirror=False, holes={"probability": 1.0})
    with_holes = augmented(transforms_of_run(nnunets(None), section, GREY))[0]
    none = AugmentationSection(strength=0.0, mirror=False)
    without = augmented(transforms_of_run(nnunets(None), none, GREY))[0]
    assert (with_holes != without).sum() == 3 * 4 * 4  # a tenth of 40 pixels
    assert with_holes[with_holes != without].eq(0).all()


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            hook_that_returns(
                "training_augmentation", "3", needs="nnunet_vit.augmentation.Augmentation"
            ),
            "training_augmentation returned int; needed: nnunet_vit.augmentation.Augmentation.",
        ),
        (
            HOLES.replace('"holes"', '"hole"'),
            "training_augmentation returned the augmentation 'hole'; needed: 'holes', the name of "
            "its entry point.",
        ),
    ],
)
def test_a_broken_one(fake_augmentation, source, problem):
    fake_augmentation("holes", source)
    with pytest.raises(PluginError) as caught:
        named_augmentation("holes")
    assert caught.value.problem == f"Plugin 'holes' (x-holes 1.0): {problem}"


def test_one_that_gives_no_list(fake_augmentation, nnunets):
    fake_augmentation("holes", HOLES.replace("return after_spatial(", "return str("))
    with pytest.raises(PluginError) as caught:
        transforms_of_run(nnunets(), AugmentationSection(holes=1.0), GREY)
    assert "added failed: TypeError" in caught.value.problem
    fake_augmentation("empty", HOLES.replace('"holes"', '"empty"').replace("return after", "after"))
    with pytest.raises(PluginError) as caught:
        transforms_of_run(nnunets(), AugmentationSection(empty=1.0), GREY)
    assert caught.value.problem == (
        "The augmentation 'empty' returned NoneType; needed: a list of transforms."
    )


def test_the_random_numbers_are_those_that_batches_seed(fake_augmentation, nnunets, augmented):
    fake_augmentation("holes", HOLES)
    ours = transforms_of_run(nnunets(), AugmentationSection(holes=2.0), GREY)
    one, again = (augmented(ours, 5)[0] for _ in range(2))
    assert torch.equal(one, again)
