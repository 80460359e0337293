"""Masks with palettes: numbers are labels only where the colours of all masks agree."""

import numpy as np
import pytest
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
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit
SIZE = (16, 20)
BLACK, RED, GREEN, DARK, WHITE = (0, 0, 0), (255, 0, 0), (0, 255, 0), (1, 1, 1), (255, 255, 255)
COLOURS = ["red=#ff0000", "green=#00ff00"]


@pytest.fixture
def write(tmp_path):
    """Write masks by case: numbers and the colours of the palette."""
    images, masks = folders(tmp_path)

    def written(**palettes):
        for place, (name, (numbers, colours)) in enumerate(palettes.items()):
            Image.fromarray(drawn(place, SIZE)).save(images / f"{name}.png")
            picture = Image.fromarray(numbers.astype(np.uint8))
            picture.putpalette([part for colour in colours for part in colour])
            picture.save(masks / f"{name}.png")

    return written


def label(dataset, name: str) -> np.ndarray:
    return seen(dataset, f"labelsTr/{name}.png").values[0, 0]


def test_black_that_is_not_the_number_0(tmp_path, write):
    lesion = squares(0, SIZE)
    write(a=(1 - lesion, [RED, BLACK]), b=(1 - squares(1, SIZE), [RED, BLACK]))
    for labels in ([], ["red=1"]):
        told = r"Black has the number 1 in palettes.*--label class_1='#ff0000'.*background=NUMBER"
        with pytest.raises(DataError, match=told):
            imported_folders(tmp_path, labels=labels)
    dataset = imported_folders(tmp_path, labels=["red=0", "background=1"])
    assert (label(dataset, "a") == lesion).all()


def test_palettes_of_another_order(tmp_path, write):
    truth = squares(0, SIZE, (1, 2))
    turned = np.array([0, 2, 1])[truth]
    write(a=(truth, [BLACK, RED, GREEN]), b=(turned, [BLACK, GREEN, RED]))
    for labels in ([], ["red=1", "green=2"]):
        told = r"Palettes differ: 1 is #ff0000 in a.png and #00ff00 in b.png, 2 is .*'#00ff00'"
        with pytest.raises(DataError, match=told):
            imported_folders(tmp_path, labels=labels)
    dataset = imported_folders(tmp_path, labels=COLOURS)
    assert (label(dataset, "a") == truth).all()
    assert (label(dataset, "b") == truth).all()


def test_a_mask_with_the_grey_colours_of_a_palette_alone(tmp_path, write):
    palette = [BLACK, RED, DARK]
    write(a=(squares(0, SIZE, (2,)), palette), b=(squares(1, SIZE, (1, 2)), palette))
    dataset = imported_folders(tmp_path)
    assert description_of(dataset)["labels"] == {"background": 0, "class_1": 1, "class_2": 2}
    assert (label(dataset, "a") == squares(0, SIZE, (2,))).all()


def test_greys_of_any_order(tmp_path, write):
    write(a=(squares(0, SIZE), [BLACK, WHITE]), b=(1 - squares(1, SIZE), [WHITE, BLACK]))
    dataset = imported_folders(tmp_path)
    assert (label(dataset, "a") == squares(0, SIZE)).all()
    assert (label(dataset, "b") == squares(1, SIZE)).all()


def test_numbers_that_are_all_black(tmp_path, write):
    masks = {name: squares(n, SIZE, (1, 2)) for n, name in enumerate("ab")}
    write(**{name: (mask, [BLACK] * 3) for name, mask in masks.items()})
    with pytest.raises(DataError, match=r"number 0, 1, 2 in .*class_1=1 class_2=2"):
        imported_folders(tmp_path)
    dataset = imported_folders(tmp_path, labels=["disc=1", "vessel=2"])
    assert (label(dataset, "b") == masks["b"]).all()


def test_masks_of_one_class_by_their_colours(tmp_path, write):
    write(a=(1 - squares(0, SIZE), [RED, BLACK]), b=(squares(1, SIZE), [BLACK, GREEN]))
    source = cases_of_folders(Folders(tmp_path / "images", {"disc": tmp_path / "masks"}))
    dataset = imported(source, tmp_path)
    assert (label(dataset, "a") == squares(0, SIZE)).all()
    assert (label(dataset, "b") == squares(1, SIZE)).all()
    write(a=(squares(0, SIZE), [WHITE, RED]))
    with pytest.raises(DataError, match=r"a.png holds the colours 0 #ffffff, 1 #ff0000"):
        imported(source, tmp_path)
