"""Masks of one class each: every mask has a class, whose name means nothing else."""

import numpy as np
import pytest
from imported_datasets import drawn, folders, squares
from PIL import Image

from nnunet_vit.data.importing.folder_matching import Folders, cases_of_folders
from nnunet_vit.data.importing.table_matching import cases_of_table
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit
SIZE = (16, 20)
PATTERN = r"(?P<case>[a-c])(_(?P<label>\w+))?\."


def written(folder, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        Image.fromarray(squares(0, SIZE) * np.uint8(255)).save(folder / f"{name}.png")


@pytest.fixture
def sources(tmp_path):
    images, masks = folders(tmp_path)
    for number, name in enumerate("abc"):
        Image.fromarray(drawn(number, SIZE)).save(images / f"{name}.png")
    return images, masks


@pytest.mark.parametrize("missing_is_empty", [True, False])
def test_a_mask_without_a_class_beside_masks_of_one(sources, missing_is_empty):
    images, masks = sources
    written(masks, "a_disc", "a_cup", "b_disc", "b_cup", "c")
    wanted = Folders(images, {"": masks}, mask_pattern=PATTERN, missing_is_empty=missing_is_empty)
    with pytest.raises(DataError, match=r"No class for .*c\.png; other masks .*disc"):
        cases_of_folders(wanted)


def test_test_masks_without_classes(tmp_path, sources):
    images, masks = sources
    written(masks, "a", "b", "c")
    written(tmp_path / "test", "t")
    wanted = Folders(images, {"disc": masks}, tmp_path / "test", {"": tmp_path / "test"})
    with pytest.raises(DataError, match=r"No class for .*t\.png"):
        cases_of_folders(wanted)


@pytest.mark.parametrize("name", ["background", "ignore", "Background"])
def test_names_that_are_no_classes(tmp_path, sources, name):
    images, masks = sources
    written(masks, "a", "b", "c")
    told = f"'{name}' is no class"
    with pytest.raises(DataError, match=told):
        cases_of_folders(Folders(images, {"disc": masks, name: masks}))
    table = tmp_path / "cases.csv"
    table.write_text(f"case,image,mask_{name}\na,images/a.png,masks/a.png\n")
    with pytest.raises(DataError, match=told):
        cases_of_table(table, missing_is_empty=False)
    for file in list(masks.iterdir()):
        file.rename(masks / f"{file.stem}_{name}.png")
    with pytest.raises(DataError, match=told):
        cases_of_folders(Folders(images, {"": masks}, mask_pattern=PATTERN))
