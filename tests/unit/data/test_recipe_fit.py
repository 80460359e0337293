"""Whether loss and augmentation fit a dataset, and the shares of its classes."""

import numpy as np
import pytest
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2

from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.data.class_shares import channel_names, class_shares
from nnunet_vit.data.recipe_fit import check_recipe
from nnunet_vit.errors import ConfigError

pytestmark = pytest.mark.unit

CLASSES = {"labels": {"background": 0, "vessel": 2, "disc": 1, "ignore": 3}}
REGIONS = {
    "labels": {"background": 0, "whole": [1, 2], "vessel": 2, "ignore": 3},
    "regions_class_order": [1, 2],
}
RGB, GREY = ["RGBTo01Normalization"] * 3, ["ZScoreNormalization"]


def fault(train, description=CLASSES, schemes=RGB):
    with pytest.raises(ConfigError) as caught:
        check_recipe(ViTTrainConfig.model_validate(train), description, schemes)
    return str(caught.value)


def test_channels_are_in_the_order_of_the_logits():
    assert channel_names(CLASSES) == ["background", "disc", "vessel"]
    assert channel_names(REGIONS) == ["whole", "vessel"]


def test_all_that_does_not_fit_is_named_at_once():
    loss = {"dice": {"classes": ["vesel"]}, "class_weights": {"disk": 2, "background": 1}}
    assert fault({"loss": loss, "augmentation": {"stain": 1, "elastic": 1}}, schemes=GREY) == (
        "the run: 3 problems\n"
        "  train.loss.class_weights: given 'disk'; the dataset has no such class. Did you mean "
        "'disc'? Allowed: background, disc, vessel\n"
        "  train.loss.dice.classes: given 'vesel'; the dataset has no such class. Did you mean "
        "'vessel'? Allowed: disc, vessel\n"
        "  train.augmentation.stain: needs red, green and blue as they are in the files; nnU-Net "
        "gives this dataset's channels as ZScoreNormalization. For pictures in colour: "
        'channel_names {"0": "rgb_to_0_1", "1": "rgb_to_0_1", "2": "rgb_to_0_1"} in dataset.json, '
        "and --preprocess-again; else leave it out"
    )


def test_the_background_of_regions_is_no_channel():
    assert "Allowed: whole, vessel" in fault(
        {"loss": {"class_weights": {"background": 2}}}, REGIONS
    )


@pytest.mark.parametrize("schemes", [["ZScoreNormalization"] * 3, RGB[:2], [*RGB[:2], *GREY]])
def test_colours_that_are_not_known(schemes):
    assert "train.augmentation.colour: needs" in fault(
        {"augmentation": {"colour": 1}}, schemes=schemes
    )


def test_what_fits_is_let_through():
    train = {"loss": {"dice": {"classes": ["disc"]}, "class_weights": "auto"},
             "augmentation": {"colour": 1, "stain": 1}}  # fmt: skip
    check_recipe(ViTTrainConfig.model_validate(train), CLASSES, RGB)
    check_recipe(ViTTrainConfig(), REGIONS, GREY)


@pytest.fixture
def preprocessed(tmp_path):
    """Two cases of 100 pixels each; the second one is no training case."""
    for case, numbers in (("a", [-1] * 10 + [0] * 40 + [1] * 20 + [2] * 5 + [3] * 25),
                          ("b", [1] * 100)):  # fmt: skip
        mask = np.array(numbers, np.int8).reshape(1, 1, 10, 10)
        image = np.zeros((1, 1, 10, 10), np.float32)
        blocks = dict.fromkeys(("chunks", "blocks", "chunks_seg", "blocks_seg"), image.shape)
        nnUNetDatasetBlosc2.save_case(image, mask, {}, str(tmp_path / case), **blocks)
    return tmp_path


def test_shares_are_of_the_pixels_that_count(preprocessed):
    shares = class_shares(preprocessed, ["a"], CLASSES)
    assert list(shares) == ["background", "disc", "vessel"]
    assert shares == pytest.approx({"background": 50 / 75, "disc": 20 / 75, "vessel": 5 / 75})


def test_shares_of_regions_overlap(preprocessed):
    shares = class_shares(preprocessed, ["a"], REGIONS)
    assert shares == pytest.approx({"whole": 25 / 75, "vessel": 5 / 75})
    assert class_shares(preprocessed, ["a", "b"], REGIONS)["whole"] == pytest.approx(125 / 175)
