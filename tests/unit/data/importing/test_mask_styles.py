"""Masks of every style: values, palettes, colours, and masks of one class that overlap."""

import numpy as np
import pytest
import tifffile
from imported_datasets import (
    description_of,
    drawn,
    folders,
    imported,
    imported_folders,
    seen,
    squares,
)
from PIL import Image

from nnunet_vit.data.importing.folder_matching import Folders, cases_of_folders
from nnunet_vit.errors import ConfigError, DataError

pytestmark = pytest.mark.unit
SIZE = (16, 20)
RED, GREEN = (255, 0, 0), (0, 255, 0)


def with_images(tmp_path, names=("a", "b")):
    images, masks = folders(tmp_path)
    for number, name in enumerate(names):
        Image.fromarray(drawn(number, SIZE)).save(images / f"{name}.png")
    return masks


def coloured(seed: int) -> np.ndarray:
    mask = squares(seed, SIZE, (1, 2))
    return np.array([(0, 0, 0), RED, GREEN], np.uint8)[mask]


def test_values_as_they_are(tmp_path):
    masks = with_images(tmp_path)
    for number, name in enumerate("ab"):
        Image.fromarray(squares(number, SIZE, (1, 2))).save(masks / f"{name}.png")
    dataset = imported_folders(tmp_path, labels=["vessel=2", "disc=1"])
    assert (seen(dataset, "labelsTr/b.png").values[0, 0] == squares(1, SIZE, (1, 2))).all()
    assert description_of(dataset)["labels"] == {"background": 0, "disc": 1, "vessel": 2}
    assert (dataset / "labelsTr/a.png").read_bytes() == (masks / "a.png").read_bytes()


def test_colours_to_classes(tmp_path):
    masks = with_images(tmp_path)
    for number, name in enumerate("ab"):
        Image.fromarray(coloured(number)).save(masks / f"{name}.bmp")
    dataset = imported_folders(tmp_path, labels=["vessel=#00ff00", "disc=#FF0000"])
    truth = squares(1, SIZE, (1, 2))
    mask = seen(dataset, "labelsTr/b.png").values[0, 0]
    assert (mask == np.array([0, 2, 1])[truth]).all()
    assert description_of(dataset)["labels"] == {"background": 0, "vessel": 1, "disc": 2}


@pytest.mark.parametrize("labels", [["disc=#ff0000", "vessel=#00ff00"], ["disc=1", "vessel=2"]])
def test_palette_by_colour_or_by_number(tmp_path, labels):
    masks = with_images(tmp_path)
    for number, name in enumerate("ab"):
        picture = Image.fromarray(squares(number, SIZE, (1, 2)))
        picture.putpalette([0, 0, 0, *RED, *GREEN])
        picture.save(masks / f"{name}.png")
    dataset = imported_folders(tmp_path, labels=labels)
    assert (seen(dataset, "labelsTr/b.png").values[0, 0] == squares(1, SIZE, (1, 2))).all()
    assert description_of(dataset)["labels"] == {"background": 0, "disc": 1, "vessel": 2}


@pytest.mark.parametrize("full", [65535, 65280])  # as programs write 255
def test_palette_of_a_tiff(tmp_path, full):
    masks = with_images(tmp_path)
    colours = np.zeros((3, 256), np.uint16)
    colours[0, 1] = colours[1, 2] = full
    for number, name in enumerate("ab"):
        values = squares(number, SIZE, (1, 2))
        tifffile.imwrite(masks / f"{name}.tif", values, photometric="palette", colormap=colours)
    dataset = imported_folders(tmp_path, labels=["disc=#ff0000", "vessel=#00ff00"])
    assert (seen(dataset, "labelsTr/b.png").values[0, 0] == squares(1, SIZE, (1, 2))).all()


def test_a_tiff_of_jpeg_is_no_mask(tmp_path):
    masks = with_images(tmp_path)
    for number, name in enumerate("ab"):
        values = squares(number, SIZE) * 255
        tifffile.imwrite(masks / f"{name}.tif", values, compression="jpeg")
    with pytest.raises(DataError, match=r"a.tif, b.tif: each is a JPEG"):
        imported_folders(tmp_path)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_black_and_white_of_any_mode(tmp_path, mode):
    masks = with_images(tmp_path)
    ending = ".gif" if mode == "P" else ".png"
    for number, name in enumerate("ab"):
        values = squares(number, SIZE) * (1 if mode == "I;16" else 255)
        picture = Image.fromarray(values.astype("uint16") if mode == "I;16" else values)
        (picture if mode == "I;16" else picture.convert(mode)).save(masks / f"{name}{ending}")
    dataset = imported_folders(tmp_path)
    assert (seen(dataset, "labelsTr/b.png").values[0, 0] == squares(1, SIZE)).all()


def test_ignore_background_and_two_values_of_one_class(tmp_path):
    masks = with_images(tmp_path)
    for number, name in enumerate("ab"):
        mask = squares(number, SIZE, (1, 255))
        mask[-1] = 7
        mask[mask == 0] = 3
        Image.fromarray(mask).save(masks / f"{name}.png")
    dataset = imported_folders(
        tmp_path, labels=["background=3", "vessel=1", "vessel=7", "ignore=255"]
    )
    assert description_of(dataset)["labels"] == {"background": 0, "vessel": 1, "ignore": 2}
    truth = squares(1, SIZE, (1, 2))
    truth[-1] = 1
    assert (seen(dataset, "labelsTr/b.png").values[0, 0] == truth).all()


def of_classes(tmp_path, masks_of) -> Folders:
    """Three cases with a folder of masks per class."""
    with_images(tmp_path, "abc")
    paths = {}
    for name, drawing in masks_of.items():
        paths[name] = tmp_path / name
        paths[name].mkdir()
        for number, case in enumerate("abc"):
            Image.fromarray(drawing(number) * 255).save(paths[name] / f"{case}.png")
    return Folders(tmp_path / "images", paths)


def nested(seed: int) -> np.ndarray:
    return np.pad(np.ones((2, 2), np.uint8), ((4, 10), (5, 13)))


def test_masks_apart_are_classes(tmp_path):
    wanted = of_classes(
        tmp_path,
        {"disc": lambda n: squares(n, SIZE), "vessel": lambda n: squares(n, SIZE)[::-1]},
    )
    dataset = imported(cases_of_folders(wanted), tmp_path)
    assert description_of(dataset)["labels"] == {"background": 0, "disc": 1, "vessel": 2}
    truth = squares(1, SIZE) + 2 * squares(1, SIZE)[::-1]
    assert (seen(dataset, "labelsTr/b.png").values[0, 0] == truth).all()


def test_masks_in_each_other_are_regions(tmp_path):
    wanted = of_classes(tmp_path, {"cup": nested, "disc": lambda n: squares(1, SIZE)})
    dataset = imported(cases_of_folders(wanted), tmp_path)
    content = description_of(dataset)
    assert content["labels"] == {"background": 0, "disc": [1, 2], "cup": [2]}
    assert content["regions_class_order"] == [1, 2]
    mask = seen(dataset, "labelsTr/b.png").values[0, 0]
    assert (np.isin(mask, [1, 2]) == squares(1, SIZE)).all()
    assert ((mask == 2) == nested(0)).all()


def test_masks_that_overlap_in_part_keep_every_pixel_of_each(tmp_path, capsys):
    def across(seed):
        mask = np.zeros(SIZE, np.uint8)
        mask[:, 5] = 1
        return mask

    wanted = of_classes(tmp_path, {"vessel": across, "disc": lambda n: squares(n, SIZE)})
    dataset = imported(cases_of_folders(wanted), tmp_path)
    content = description_of(dataset)
    mask = seen(dataset, "labelsTr/c.png").values[0, 0]
    for name, truth in (("vessel", across(2)), ("disc", squares(2, SIZE))):
        assert (np.isin(mask, content["labels"][name]) == truth).all()
    assert "vessel and disc overlap in part" in (dataset / "import.json").read_text()


def test_masks_of_one_class_that_are_wrong(tmp_path):
    wanted = of_classes(tmp_path, {"cup": nested, "disc": nested})
    with pytest.raises(DataError, match="cup and disc: the same pixels in all cases"):
        imported(cases_of_folders(wanted), tmp_path)
    Image.fromarray(squares(1, SIZE, (3, 4))).save(tmp_path / "cup" / "b.png")
    with pytest.raises(DataError, match=r"b.png holds 0, 3, 4; a mask of one class"):
        imported(cases_of_folders(wanted), tmp_path)
    with pytest.raises(ConfigError, match="leave --label out"):
        imported(cases_of_folders(wanted), tmp_path, labels=["cup=255"])
    (tmp_path / "cup" / "b.png").unlink()
    with pytest.raises(DataError, match=r"No mask of cup for b.*--missing-is-empty"):
        cases_of_folders(wanted)


def test_class_in_the_name_of_a_mask(tmp_path):
    masks = with_images(tmp_path)
    for number, name in enumerate("ab"):
        Image.fromarray(squares(number, SIZE)).save(masks / f"{name}_disc.png")
        if name == "a":
            Image.fromarray(nested(0)).save(masks / f"{name}_cup.png")
    pattern = r"(?P<case>.+)_(?P<label>disc|cup)\."
    source = cases_of_folders(
        Folders(tmp_path / "images", {"": masks}, mask_pattern=pattern, missing_is_empty=True)
    )
    dataset = imported(source, tmp_path)
    disc = description_of(dataset)["labels"]["disc"]
    assert (np.isin(seen(dataset, "labelsTr/b.png").values[0, 0], disc) == squares(1, SIZE)).all()


def test_labels_in_three_equal_channels_become_one(tmp_path):
    masks = with_images(tmp_path)
    for number, name in enumerate("ab"):
        Image.fromarray(squares(number, SIZE)).convert("RGB").save(masks / f"{name}.png")
    dataset = imported_folders(tmp_path)
    assert seen(dataset, "labelsTr/b.png").values.shape == (1, 1, *SIZE)
