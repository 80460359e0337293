"""Each fault of a dataset that is known from practice, shown by a file and found before training.

The numbers are those of the catalogue of faults that the project keeps: 16 to 31.
"""

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnunet_vit.data.checking.training_files import check_training_files
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.errors import DataError

from .conftest import describe, mask, picture, put_case, put_volume

pytestmark = pytest.mark.unit

TESTS = Path(__file__).parents[3]
# faults whose files are shown by tests of the module that finds them
ELSEWHERE = {
    16: ("unit/data/test_description_file.py::test_a_broken_description",
         "unit/data/test_description_file.py::test_labels_without_background",
         "unit/data/test_label_rules.py::test_labels_that_would_fail_later",
         "unit/data/test_description_file.py::test_an_ending_that_nnunet_does_not_read"),
    17: ("unit/data/test_dataset.py::test_two_datasets_with_one_id",
         "unit/data/test_dataset.py::test_a_name_that_nnunet_does_not_find_is_named_with_the_rule"),
    20: ("unit/data/checking/test_training_files.py::test_values_that_are_not_finite",),
    26: ("unit/data/test_splits.py::test_wrong_splits_are_refused_with_file_fold_and_cases",
         "unit/data/test_splits.py::test_a_file_that_cannot_be_read"),
    27: ("unit/data/preprocessing/test_damage.py::test_a_damaged_case_is_named",
         "unit/data/preprocessing/test_damaged_files.py::"
         "test_a_damaged_file_is_named_with_what_to_do",
         "unit/data/preprocessing/test_after_failures.py::test_a_killed_run_is_done_again"),
    28: ("unit/data/preprocessing/test_freshness.py::test_changed_and_removed_files_are_named",
         "unit/data/preprocessing/test_freshness.py::test_changed_plans_are_named"),
    29: ("unit/inference/test_broken_links.py::test_all_of_them_are_named_with_their_remedy",
         "unit/training/test_unwritable_results.py"),
    30: ("unit/data/preprocessing/test_foreign_pickles.py",),
}  # fmt: skip


def cut(file, share=0.5):
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])


def flipped(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)


def nan_spacing(raw):
    """Write what SimpleITK refuses to write: a spacing that is no number."""
    import nibabel

    file = raw / "imagesTr/b_0000.nii.gz"
    with gzip.open(file) as content:
        values = bytearray(content.read())
    values[80:84] = np.float32("nan").tobytes()  # pixdim[1]
    file.write_bytes(gzip.compress(bytes(values)))
    assert np.isnan(nibabel.load(file).header["pixdim"][1])


def unzipped_cut(raw):
    """A volume that was cut off, then compressed: gzip finds nothing wrong."""
    file = raw / "imagesTr/b_0000.nii.gz"
    with gzip.open(file) as content:
        file.write_bytes(gzip.compress(content.read()[:-1000]))


def palette(raw, folder="labelsTr", name="b.png"):
    image = Image.fromarray(mask(1, 2), mode="P")
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    image.save(raw / folder / name)


def nan_mask(raw):
    values = mask(1)[None].repeat(4, 0).astype(np.float32)
    values[0, 0, :3] = np.nan, np.inf, -np.inf
    put_volume(raw / "labelsTr/b.nii.gz", values)


def volume_of(*values):
    def make(raw):
        image = np.ones((4, 24, 24), np.float32)
        image[0, 0, : len(values)] = values
        put_volume(raw / "imagesTr/b_0000.nii.gz", image)

    return make


def with_mask(values):
    return lambda raw: Image.fromarray(values).save(raw / "labelsTr/b.png")


def with_image(values):
    return lambda raw: Image.fromarray(values).save(raw / "imagesTr/b_0000.png")


def all_masks(values):
    def make(raw):
        for file in (raw / "labelsTr").iterdir():
            Image.fromarray(values).save(file)

    return make


def renamed(old, new):
    return lambda raw: (raw / old).rename(raw / new)


def removed(name):
    return lambda raw: (raw / name).unlink()


def sixteen_bits(raw):
    for case in "abcdef":
        put_case(raw, case, picture())
    put_case(raw, "b", picture().astype(np.uint16) * 200)
    describe(raw, channel_names={"0": "grey"})


def fifo(raw):
    (raw / "imagesTr/b_0000.png").unlink()
    os.mkfifo(raw / "imagesTr/b_0000.png")


ERRORS = [
    (16, "pictures", lambda raw: (raw / "dataset.json").write_text("{"), "cannot be read as JSON"),
    (16, "pictures", lambda raw: describe(raw, file_ending=".bmp"), "holds no image *.bmp"),
    (18, "pictures", lambda raw: cut(raw / "imagesTr/b_0000.png"), "is cut off"),
    (18, "pictures", lambda raw: (raw / "imagesTr/b_0000.png").write_text("no picture"),
     "does not begin as a .png file does"),
    (18, "pictures", lambda raw: (raw / "imagesTr/b_0000.png").write_bytes(b""), "is empty"),
    (18, "pictures", lambda raw: flipped(raw / "imagesTr/b_0000.png"), "wrong check sum"),
    (19, "volumes", unzipped_cut, "is cut off"),
    (19, "volumes", lambda raw: flipped(raw / "imagesTr/b_0000.nii.gz"), "is damaged"),
    (19, "volumes", lambda raw: cut(raw / "imagesTr/b_0000.nii.gz"), "is damaged"),
    (19, "volumes", lambda raw: put_volume(
        raw / "imagesTr/b_0000.nii.gz", np.ones((2, 4, 24, 24), np.float32), (1.0, 1, 1, 1)),
     "has 2 channels"),
    (19, "volumes", nan_spacing, "states the spacing nan x 1 x 5 (X, Y, Z)"),
    (20, "volumes", volume_of(1e38), "values up to 1e+38"),
    (21, "pictures", with_image(picture(4)), "4 channels (with transparency)"),
    (21, "pictures", with_image(picture(2)), "grey and transparency"),
    (21, "pictures", with_image(picture()), "1 channel (grey)"),
    (22, "pictures", renamed("imagesTr/b_0000.png", "imagesTr/b.png"), "must end in _0000.png"),
    (22, "pictures", lambda raw: shutil.copy(raw / "imagesTr/a_0000.png",
                                             raw / "imagesTr/a_0001.png"), "one file too many"),
    (22, "pictures", renamed("imagesTr/b_0000.png", "imagesTr/b_0000.PNG"), "lacks images"),
    (22, "pictures", lambda raw: put_case(raw, "A"), "names that are one on many disks: "),
    (23, "pictures", with_mask(mask(1)[:20]), "b.png is 20 x 24 pixels"),
    (23, "pictures", with_mask(mask(1)[:, :20]), "24 x 20 pixels"),
    (23, "pictures", removed("labelsTr/b.png"), "lacks labels"),
    (23, "pictures", removed("imagesTr/b_0000.png"), "lacks images"),
    (23, "volumes", lambda raw: put_volume(
        raw / "labelsTr/b.nii.gz", mask(1)[None].repeat(4, 0), (1.0, 1.0, 4.0)), "has spacing"),
    (24, "pictures", with_mask(mask(7)), "holds the value 7"),
    (24, "pictures", with_mask(mask(255)), "holds the value 255"),
    (24, "pictures", with_mask(mask(255).astype(np.uint16) * 257), "65535"),
    (24, "pictures", with_mask(np.stack([mask(1)] * 3, -1)), "has 3 colour channels"),
    (24, "pictures", palette, "is a palette picture"),
    (24, "volumes", lambda raw: put_volume(
        raw / "labelsTr/b.nii.gz", mask(1)[None].repeat(4, 0) * np.float32(0.5)),
     "not integers"),
    (24, "volumes", lambda raw: put_volume(
        raw / "labelsTr/b.nii.gz", mask(1)[None].repeat(4, 0) * np.int16(-1)), "the value -1"),
    (24, "volumes", nan_mask, "not finite (NaN), 3 of them, which ITK reads as 0"),
    (24, "pictures", all_masks(mask()), "no foreground pixel in any"),
    (26, "pictures", lambda raw: [file.unlink() for file in raw.glob("*Tr/*")], "holds no image"),
    (29, "pictures", fifo, "lacks images"),
]  # fmt: skip
WARNINGS = [
    (16, "pictures", lambda raw: describe(raw, numTraining=9), "says numTraining 9"),
    (19, "volumes", lambda raw: put_volume(
        raw / "labelsTr/b.nii.gz", mask(1)[None].repeat(4, 0),
        direction=(0, 1, 0, -1, 0, 0, 0, 0, 1)), "origin or direction"),
    *((20, "volumes", volume_of(value), "1 image with NaN or inf, which ITK reads as 0: b.")
      for value in (np.nan, np.inf, -np.inf)),
    (20, "pictures", with_image(np.full((24, 24, 3), 9, np.uint8)), "one value everywhere: b."),
    (20, "pictures", with_image(picture(3) * np.uint8([1, 0, 1])), "b (channel 1)"),
    (21, "pictures", sixteen_bits, "b_0000.png: stored with 16 bits"),
    (22, "pictures", lambda raw: shutil.copy(raw / "imagesTr/a_0000.png",
                                             raw / "imagesTr/z_0000.PNG"), "1 file *.PNG"),
    (24, "pictures", with_mask(mask()), "1 case without foreground: b."),
    (24, "pictures", all_masks(mask(1)), "No label file holds cup"),
    (26, "pictures", lambda raw: [file.unlink() for case in "def" for file in raw.glob(
        f"*Tr/{case}*")], "3 cases: nnU-Net's 5 folds need 5"),
]  # fmt: skip


def ids(rows):
    return [f"{number}-{row}" for row, (number, *_) in enumerate(rows)]


@pytest.mark.parametrize(("number", "kind", "spoil", "words"), ERRORS, ids=ids(ERRORS))
def test_an_error_is_found_by_both_verbs(request, watched, findings, number, kind, spoil, words):
    raw = request.getfixturevalue(kind)
    assert findings() == ("", "")
    spoil(raw)
    try:
        assert words in findings()[0]
    except DataError as error:
        assert words in str(error)
    with pytest.raises(DataError) as caught:
        check_training_files(find_dataset(5), 16, watched)
    assert words in str(caught.value)


@pytest.mark.parametrize(("number", "kind", "spoil", "words"), WARNINGS, ids=ids(WARNINGS))
def test_a_warning_is_no_error(request, findings, number, kind, spoil, words):
    spoil(request.getfixturevalue(kind))
    errors, warnings = findings()
    assert (errors, words in warnings) == ("", True)


def test_a_picture_larger_than_pillow_takes(pictures, findings, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 200)
    assert "exceeds limit" in findings()[0]


def test_a_plane_of_one_row(pictures, findings):
    for case in "abcdef":
        put_case(pictures, case, picture(3)[:1], mask(1, 2)[4:5])
    assert "less than one patch of the ViT" in findings()[1]


@pytest.mark.parametrize("name", ["größe 東京", "-leading dash", "x" * 200, "a b'c", "17x23"])
def test_names_and_sizes_that_work(pictures, findings, name):
    put_case(pictures, name, picture(3)[:17, :23], mask(1, 2)[:17, :23])
    describe(pictures, numTraining=7)
    assert findings() == ("", "")


def test_every_fault_has_a_test():
    shown = {number for number, *_ in (*ERRORS, *WARNINGS)} | {25, 31} | set(ELSEWHERE)
    assert shown == set(range(16, 32))
    for place in (place for places in ELSEWHERE.values() for place in places):
        file, _, name = place.partition("::")
        assert f"def {name or 'test_'}" in (TESTS / file).read_text(encoding="utf-8"), place
