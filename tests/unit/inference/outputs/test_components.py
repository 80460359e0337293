"""Small parts, or all but the largest of each class, become background."""

import numpy as np
import pytest

from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.inference.least_size import LeastSize, least_size
from nnunet_vit.inference.outputs.case_outputs import check_min_size
from nnunet_vit.inference.outputs.components import cleaned
from nnunet_vit.inference.prediction_options import PredictionOptions

pytestmark = pytest.mark.unit

LABELS = {"labels": {"background": 0, "disc": 1, "vessel": 2}}
REGIONS = {
    "labels": {"background": 0, "whole": [1, 2], "core": [2]}, "regions_class_order": [1, 2]
}  # fmt: skip


def mask_of(*rows):
    return np.array([[list(map(int, row)) for row in rows]], np.uint8)


def clean(mask, description=LABELS, spacing=(999, 1, 1), **options):
    found = cleaned(mask, description, {"spacing": spacing}, options=PredictionOptions(**options))
    assert found.dtype == mask.dtype
    return ["".join(map(str, row)) for row in found[0]]


MASK = mask_of("1100201",
               "1100022",
               "0011000",
               "2000001")  # fmt: skip


def test_nothing_is_asked_for():
    assert cleaned(MASK, LABELS, {}, options=PredictionOptions()) is MASK


def test_the_largest_part_of_each_class():
    assert clean(MASK, largest_component=True) == ["1100200", "1100022", "0011000", "0000000"]


@pytest.mark.parametrize(
    ("text", "left"),
    [("2", "1100200"), ("3px", "1100200"), ("4", "1100000"), ("1", "1100201"), ("2.5", "1100200")],
)
def test_parts_of_a_size(text, left):
    assert clean(MASK, min_size=least_size(text))[0] == left


def test_areas_and_volumes():
    area = {"min_size": LeastSize(10, "mm2"), "spacing": (5, 2, 2)}
    assert clean(MASK, **area) == ["1100200", "1100022", "0011000", "0000000"]
    volume = np.concatenate([MASK, 0 * MASK])
    size = {"min_size": LeastSize(60.5, "mm3"), "spacing": (5, 2, 2)}
    assert clean(volume, **size)[0] == "1100000"
    with pytest.raises(DataError, match="is a volume, which has mm3; given: --min-size 10mm2"):
        clean(volume, **area)
    with pytest.raises(DataError, match=r"is a plane, which has mm2; given: --min-size 60\.5mm3"):
        clean(MASK, **size)


NESTED = mask_of("1111100",
                 "1211200",
                 "1111220",
                 "0000000",
                 "2220000")  # fmt: skip


def test_a_part_of_a_region_becomes_what_is_around_it():
    assert clean(NESTED, REGIONS, min_size=least_size("2")) == [
        "1111100", "1111200", "1111220", "0000000", "2220000"
    ]  # fmt: skip


def test_a_region_goes_with_the_one_around_it():
    assert clean(NESTED, REGIONS, largest_component=True) == [
        "1111100", "1111200", "1111220", "0000000", "0000000"
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "0", "-3", "mm2", "5 cm", "5mm", "1e3", "nan", "٣x"])
def test_what_is_no_size(text):
    with pytest.raises(ConfigError, match=r"--min-size .*: allowed: a number greater than 0"):
        least_size(text)


def test_pictures_do_not_say_how_large_a_pixel_is():
    options = PredictionOptions(min_size=least_size("5MM2"))
    check_min_size(options, "SimpleITKIO")
    check_min_size(PredictionOptions(min_size=least_size("5")), "NaturalImage2DIO")
    with pytest.raises(
        ConfigError, match="--min-size 5mm2: the model was trained on images that do not"
    ):
        check_min_size(options, "NaturalImage2DIO")


def test_masks_of_other_sizes_are_not_finished():
    plain = PredictionOptions().changes_masks()
    assert plain == {"mirroring": True, "step": 0.5}
    options = PredictionOptions(min_size=least_size("5mm2"), largest_component=True)
    assert options.changes_masks() == {**plain, "largest_component": True, "min_size": "5mm2"}
