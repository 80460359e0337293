"""Pictures of outlines: sizes, places, colours, any kind of image."""

import numpy as np
import pytest
from skimage.io import imread, imsave

from nnunet_vit.errors import DataError
from nnunet_vit.report.overlay import COLOURS, GAP, outlined, side_by_side, write_overlays

pytestmark = pytest.mark.unit


class Said:
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


@pytest.fixture
def mask():
    labels = np.zeros((12, 16), np.uint8)
    labels[3:9, 4:12] = 1
    labels[5:7, 6:10] = 2
    return labels


@pytest.mark.parametrize("shape", [(12, 16), (12, 16, 1), (12, 16, 2), (12, 16, 3), (12, 16, 4)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_three_views_beside_each_other(mask, shape, kind):
    image = (np.random.default_rng(0).random(shape) * 200).astype(kind)
    picture = side_by_side(image, mask, mask)
    assert (picture.shape, picture.dtype) == ((12, 3 * 16 + 2 * GAP, 3), np.uint8)
    assert (picture[:, 16 : 16 + GAP] == 255).all()
    assert np.array_equal(picture[:, 16 + GAP : 32 + GAP], picture[:, -16:])


@pytest.mark.parametrize("channels", [1, 2])
def test_grey_is_grey_whatever_lies_behind_it(mask, channels):
    grey = np.random.default_rng(0).integers(0, 256, (12, 16), np.uint8)
    image = np.stack([grey, 255 - grey][:channels], axis=-1)
    assert np.array_equal(side_by_side(image, mask, mask), side_by_side(grey, mask, mask))
    assert np.array_equal(side_by_side(image, mask, mask)[:, :16], grey[..., None].repeat(3, -1))


def test_a_class_is_tinted_and_outlined_in_its_colour(mask):
    image = np.full((12, 16, 3), 100, np.uint8)
    result = outlined(image, mask)
    assert (result[mask == 0] == 100).all()
    assert tuple(result[3, 4]) == COLOURS[0]
    assert tuple(result[5, 6]) == COLOURS[1]
    inside = tuple(int(0.65 * 100 + 0.35 * part) for part in COLOURS[0])
    assert tuple(result[4, 5]) in {inside, COLOURS[0]}
    assert (image == 100).all()


def test_more_classes_than_colours():
    mask = np.arange(20, dtype=np.uint8).repeat(4).reshape(20, 4)
    assert outlined(np.zeros((20, 4, 3), np.uint8), mask).shape == (20, 4, 3)


def test_a_flat_image_of_floats_is_no_division_by_zero(mask):
    with np.errstate(all="raise"):
        side_by_side(np.full((12, 16), 3.5, np.float32), mask, mask)


def test_a_file_per_case(tmp_path, mask):
    folders = {name: tmp_path / name for name in ("images", "predictions", "references")}
    for name, folder in folders.items():
        folder.mkdir()
        file = folder / ("case_a_0000.png" if name == "images" else "case_a.png")
        imsave(file, mask * 100 if name == "images" else mask, check_contrast=False)
    said, scores = Said(), {"case_a.png": 0.876}
    out = tmp_path / "new" / "overlays"
    write_overlays(*folders.values(), scores, out, said)
    assert [file.name for file in out.iterdir()] == ["case_a_dice0.88.png"]
    assert imread(out / "case_a_dice0.88.png").shape == (12, 3 * 16 + 2 * GAP, 3)
    assert said.lines == [f"1 overlays in {out}: image, truth, prediction."]
    (folders["images"] / "case_a_0000.png").unlink()
    with pytest.raises(DataError) as caught:
        write_overlays(*folders.values(), scores, out, said)
    missing = folders["images"] / "case_a_0000.png"
    assert str(caught.value) == f"--images: {missing} is missing for its mask case_a.png."
