"""Masks with palettes: their numbers are labels where they mean one thing in all files."""

import numpy as np
import pytest
from PIL import Image

from nnunet_vit.data.checking.repairing import place_of_copy, repair
from nnunet_vit.data.dataset import raw_dataset

from .conftest import mask

pytestmark = pytest.mark.unit
BLACK, RED, GREEN, WHITE = (0, 0, 0), (255, 0, 0), (0, 255, 0), (255, 255, 255)
USUAL = BLACK, RED, GREEN


@pytest.fixture
def changed(pictures, tmp_path, watched):
    """`changed(masks)` repairs with these masks, (values, palette) by case; returns the changed."""

    def make(masks):
        for case, (values, palette) in masks.items():
            image = Image.fromarray(values, mode="P")
            image.putpalette([part for colour in palette for part in colour])
            image.save(pictures / f"labelsTr/{case}.png")
        dataset = raw_dataset(str(pictures))
        path = place_of_copy(str(tmp_path / "Dataset006_Repaired"), dataset)
        for change in repair(dataset, path, watched):
            case = change.now[len("labelsTr/") : -len(".png")]
            stored = np.array(Image.open(path / change.now))
            assert np.array_equal(stored, masks[case][0])
            yield case

    return lambda masks: list(make(masks))


BOTH, FIRST, SECOND = mask(1, 2), mask(1), mask(2)
CLEAR = {
    "the same palette": [(BOTH, USUAL), (FIRST, USUAL)],
    "other colours that are not used": [(FIRST, USUAL), (FIRST, (BLACK, RED, WHITE, BLACK))],
    "palettes of other lengths": [(FIRST, USUAL[:2]), (SECOND, USUAL)],
}
UNCLEAR = {
    "swapped colours": [(BOTH, USUAL), (BOTH, (BLACK, GREEN, RED))],
    "another number of a colour": [(FIRST, USUAL), (SECOND, (BLACK, GREEN, RED))],
    "another colour of a number": [(FIRST, USUAL), (FIRST, (BLACK, WHITE))],
    "one colour for two numbers": [(BOTH, (BLACK, RED, RED))],
    "black twice": [(BOTH, (BLACK, RED, BLACK))],
    "black that is not 0": [(mask(1) ^ 1, (BLACK, BLACK)), (BOTH, (RED, BLACK, GREEN))],
}


@pytest.mark.parametrize("kind", CLEAR)
def test_numbers_that_mean_one_thing_are_labels(changed, kind):
    assert changed(dict(zip("bc", CLEAR[kind], strict=False))) == ["b", "c"]


@pytest.mark.parametrize("kind", UNCLEAR)
def test_numbers_that_may_mean_two_things_are_left_and_named(changed, findings, kind):
    masks = dict(zip("bc", UNCLEAR[kind], strict=False))
    assert changed(masks) == []
    errors = findings()[0]
    assert all(f"{case}.png" in errors for case in masks)


def test_others_are_repaired(changed):
    masks = {"b": (BOTH, (WHITE, RED, GREEN)), "c": (FIRST, USUAL), "d": (SECOND, USUAL)}
    assert changed(masks) == ["c", "d"]
