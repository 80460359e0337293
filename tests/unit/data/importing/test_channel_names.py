"""Files are channels by their names, and every case has the same ones."""

import pytest
from imported_datasets import drawn, folders, squares
from PIL import Image

from nnunet_vit.data.importing.folder_matching import Folders, cases_of_folders
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit
SIZE = (16, 20)
OF_NAMES = {
    "pattern": r"(?P<case>.+)_(?P<channel>[A-Z0-9]+)\.",
    "mask_pattern": r"(?P<case>.)\.",
}


def cases_of(tmp_path, images, masks, tests=(), **options):
    """Cases of pictures with these names, by the names of their files."""
    own, drawings = folders(tmp_path)
    test = tmp_path / "test" if tests else None
    for folder, names in ((own, images), (drawings, masks), (test, tests)):
        for name in names:
            folder.mkdir(exist_ok=True)
            values = squares(0, SIZE) if folder == drawings else drawn(0, SIZE)
            Image.fromarray(values).save(folder / f"{name}.png")
    found = cases_of_folders(Folders(own, {"": drawings}, test, **options))
    return {case.name: [file.stem for file in case.images] for case in found.cases}


def test_another_number_than_the_others_have(tmp_path):
    names = ["a_0000", "a_0001", "b_0000", "b_0002", "c_0000", "c_0001"]
    with pytest.raises(DataError, match="Channels of b: 0000, 0002; of 2 cases: 0000, 0001"):
        cases_of(tmp_path, names, "abc")


def test_another_name_than_the_others_have(tmp_path):
    names = ["a_T1", "a_T2", "b_FLAIR", "b_T1", "c_T1", "c_T2"]
    with pytest.raises(DataError, match="Channels of b: FLAIR, T1; of 2 cases: T1, T2"):
        cases_of(tmp_path, names, "abc", **OF_NAMES)


def test_test_images_have_the_channels_of_training(tmp_path):
    names = ["a_0000", "a_0001", "b_0000", "b_0001"]
    with pytest.raises(DataError, match="Channels of x: 0001, 0002; of 2 cases: 0000, 0001"):
        cases_of(tmp_path, names, "ab", ["x_0001", "x_0002"])


@pytest.mark.parametrize("frames", [1, 3])
def test_frames_of_test_images_are_cases_where_training_has_no_channels(tmp_path, frames):
    tests = [f"img_{number:04}" for number in range(1, frames + 1)]
    names = ["img_0101", "img_0102"]
    cases = cases_of(tmp_path, names, names, tests)
    assert cases == {name: [name] for name in (*names, *tests)}


def test_frames_of_training_images_are_no_channels_where_no_mask_says_so(tmp_path):
    names = [f"img_{number:04}" for number in range(1, 6)]
    with pytest.raises(DataError, match="5 images without a mask: img_0001"):
        cases_of(tmp_path, names, ["other"])


def test_numbers_are_channels_where_masks_have_the_names_without_them(tmp_path):
    names = ["a_0001", "a_0002", "b_0001", "b_0002"]
    cases = cases_of(tmp_path, names, "ab", ["c_0001", "c_0002"])
    assert cases["b"] == ["b_0001", "b_0002"]
    assert cases["c"] == ["c_0001", "c_0002"]
