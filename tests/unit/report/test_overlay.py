"""Pictures of outlines and errors: sizes, places, colours, any kind of image."""

import numpy as np
import pytest

from nnunet_vit.report.overlay import (
    COLOURS,
    CONFUSED,
    FALSE,
    GAP,
    IGNORED,
    LEAST_EDGE,
    LINE,
    MISSED,
    Legend,
    as_rgb,
    errors_marked,
    outlined,
    picture_of,
)

pytestmark = pytest.mark.unit

LEGEND = Legend({1: "disc", 2: "cup"})


@pytest.fixture
def mask():
    labels = np.zeros((12, 16), np.uint8)
    labels[3:9, 4:12] = 1
    labels[5:7, 6:10] = 2
    return labels


@pytest.mark.parametrize("shape", [(12, 16), (12, 16, 1), (12, 16, 2), (12, 16, 3), (12, 16, 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_four_views_beside_each_other_enlarged(mask, shape, kind):
    image = (np.random.default_rng(0).random(shape) * 200).astype(kind)
    picture = picture_of(image, mask, mask, legend=LEGEND)
    high, wide = 12 * LEAST_EDGE // 16, LEAST_EDGE
    assert (picture.shape, picture.dtype) == ((high + 2 * LINE, 4 * wide + 3 * GAP, 3), np.uint8)
    views = picture[LINE : LINE + high]
    assert (views[:, wide : wide + GAP] == 255).all()
    reference = views[:, wide + GAP : 2 * wide + GAP]
    assert np.array_equal(reference, views[:, 2 * (wide + GAP) : 3 * wide + 2 * GAP])


def test_a_large_image_keeps_its_size():
    empty = np.zeros((500, 400), np.uint8)
    assert picture_of(empty, empty, empty, legend=LEGEND).shape == (
        500 + 2 * LINE,
        1600 + 3 * GAP,
        3,
    )


def test_small_and_narrow_images_have_room_for_words():
    for shape in [(1, 1), (2, 900), (900, 2)]:
        empty = np.zeros(shape, np.uint8)
        assert (
            picture_of(empty, empty, empty, legend=LEGEND, place="slice 3 of 40").shape[1]
            >= 4 * 160
        )


@pytest.mark.parametrize("channels", [1, 2])
def test_grey_is_grey_whatever_lies_behind_it(channels):
    grey = np.random.default_rng(0).integers(0, 256, (12, 16), np.uint8)
    image = np.stack([grey, 255 - grey][:channels], axis=-1)
    assert np.array_equal(as_rgb(image), grey[..., None].repeat(3, -1))


def test_a_class_is_tinted_and_outlined_in_its_colour(mask):
    image = np.full((12, 16, 3), 100, np.uint8)
    result = outlined(image, mask, LEGEND)
    assert (result[mask == 0] == 100).all()
    assert tuple(result[3, 4]) == COLOURS[0]
    assert tuple(result[5, 6]) == COLOURS[1]
    inside = tuple(int(0.65 * 100 + 0.35 * part) for part in COLOURS[0])
    assert tuple(result[4, 5]) in {inside, COLOURS[0]}
    assert (image == 100).all()


def test_errors_have_colours_of_their_own(mask):
    prediction, image = mask.copy(), np.full((12, 16, 3), 100, np.uint8)
    prediction[3, 4], prediction[0, 0], prediction[4, 5] = 0, 1, 2
    result = errors_marked(image, mask, prediction, ignored=None)
    assert tuple(result[3, 4]) == MISSED
    assert tuple(result[0, 0]) == FALSE
    assert tuple(result[4, 5]) == CONFUSED
    right = (mask == prediction)[..., None]
    assert (np.where(right, result, 60) == 60).all()


def test_ignored_pixels_are_no_errors(mask):
    image = np.full((12, 16, 3), 100, np.uint8)
    legend = Legend({1: "disc"}, ignored=2)
    marked = errors_marked(image, mask, np.ones_like(mask), ignored=2)
    assert (marked[mask == 2] == (0.5 * 60 + 0.5 * 128)).all()
    assert legend.colour(2) == IGNORED


def test_more_classes_than_colours():
    mask = np.arange(20, dtype=np.uint8).repeat(4).reshape(20, 4)
    legend = Legend({number: f"a long name of class {number}" for number in range(1, 20)})
    picture = picture_of(np.zeros((20, 4, 3), np.uint8), mask, mask, legend=legend)
    assert picture.shape[0] > 320 + 4 * LINE  # the legend takes several lines


@pytest.mark.parametrize("value", [0, 3.5, np.nan, 1e9])
def test_a_flat_image_is_no_division_by_zero(value):
    with np.errstate(divide="raise", invalid="raise"):
        as_rgb(np.full((12, 16), value, np.float32))


def test_a_picture_of_8_bits_keeps_its_colours_and_others_are_stretched():
    dark = np.arange(192, dtype=np.float32).reshape(12, 16) // 10
    assert np.array_equal(as_rgb(dark)[..., 0], dark.astype(np.uint8))
    assert as_rgb(dark - 5).max() == 255
