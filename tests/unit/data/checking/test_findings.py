"""What only all cases together show, and how all of it is told."""

import json

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from nnunet_vit.data.checking.check_dataset import check_dataset
from nnunet_vit.errors import DataError

from .conftest import describe, mask, picture, put_case

pytestmark = pytest.mark.unit


def test_a_sound_dataset(pictures, findings):
    assert findings() == ("", "")
    assert findings(str(pictures)) == findings("Dataset005_Mine") == ("", "")


def test_an_image_under_two_names_is_a_warning(pictures, findings):
    image = picture(3)
    put_case(pictures, "b", image)
    put_case(pictures, "d", image)
    Image.fromarray(image).save(pictures / "imagesTr/d_0000.png", compress_level=1)
    errors, warnings = findings()
    assert errors == ""
    assert "1 image under several names, pixel by pixel: b = d." in warnings


def test_an_image_to_train_and_to_test_on_is_an_error(pictures, findings):
    image = picture(3)
    put_case(pictures, "b", image)
    (pictures / "imagesTs").mkdir()
    Image.fromarray(image).save(pictures / "imagesTs/t_0000.png", compress_level=1)
    assert "imagesTs/t = imagesTr/b" in findings()[0]


def test_images_of_one_colour_are_no_doubles(pictures, findings):
    for case in "ab":
        put_case(pictures, case, np.zeros((24, 24, 3), np.uint8))
    assert "several names" not in findings()[1]


def test_a_bad_test_image_is_a_warning(pictures, findings):
    (pictures / "imagesTs").mkdir()
    Image.fromarray(picture()).save(pictures / "imagesTs/t_0000.png")
    errors, warnings = findings()
    assert errors == ""
    assert "imagesTs/t_0000.png has 1 channel (grey)" in warnings


def test_a_class_that_a_fold_does_not_train_on(pictures, findings):
    for case in "abcdef":
        put_case(pictures, case, label=mask(1, 2) if case == "c" else mask(1))
    assert "trains on no case with cup." in findings()[1]


def test_folds_of_ones_own_decide(pictures, findings, nnunet_folders):
    own = [{"train": ["a", "b", "d"], "val": ["c", "e", "f"]}]
    folder = nnunet_folders / "preprocessed/Dataset005_Mine"
    folder.mkdir()
    (folder / "splits_final.json").write_text(json.dumps(own))
    assert findings() == ("", "")
    for case in "abd":
        put_case(pictures, case, label=mask(1))
    assert "Fold 0 trains on no case with cup." in findings()[1]


def test_16_bits_beside_8_where_values_are_compared_is_an_error(pictures, findings):
    for case in "abcdef":
        put_case(pictures, case, picture())
    put_case(pictures, "b", picture().astype(np.uint16) * 200)
    describe(pictures, channel_names={"0": "noNorm"})
    assert "b_0000.png: stored with 16 bits, most files with 8 bits." in findings()[0]


def test_inks_beside_transparency(write_dataset, findings):
    raw = write_dataset(
        cases=(), numTraining=5, channel_names=dict.fromkeys("0123", "R"), file_ending=".tif",
        labels={"background": 0, "disc": 1},
    )  # fmt: skip
    for case in "abcde":
        mode = "CMYK" if case == "b" else "RGBA"
        Image.fromarray(picture(4), mode=mode).save(raw / f"imagesTr/{case}_0000.tif")
        Image.fromarray(mask(1)).save(raw / f"labelsTr/{case}.tif")
    assert "b_0000.tif: stored with CMYK" in findings()[0]


def test_names_and_contents_are_one_answer(pictures, findings):
    (pictures / "labelsTr/a.png").unlink()
    put_case(pictures, "b", label=mask(255))
    (pictures / "imagesTr/c_0000.png").write_bytes(b"")
    errors = findings()[0]
    assert all(words in errors for words in ("lacks labels", "the value 255", "is empty, 0 bytes"))
    assert "is not there" not in errors


def test_all_bad_files_are_in_a_file_where_the_answer_is_shortened(pictures, watched):
    for number in range(30):
        put_case(pictures, f"x{number:02}", label=mask(3 + number))
    for case in "abcdef":
        put_case(pictures, case, label=mask(255))
    checked = check_dataset("5", watched)
    with pytest.raises(DataError) as caught:
        checked.refuse()
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("has 36 bad files: 31 problems")
    assert len(lines) == 23
    assert lines[-2] == "  and 11 more"
    file = lines[-1].partition("one file per line: ")[2]
    with open(file, encoding="utf-8") as content:
        told = content.read().splitlines()
    assert len(told) == 36
    assert all(f"x{number:02}.png holds the value" in "\n".join(told) for number in range(30))
    for case in (*"abcdef", *(f"x{number:02}" for number in range(30))):
        put_case(pictures, case)
    check_dataset("5", watched).refuse()


def test_what_programs_read(pictures, watched):
    put_case(pictures, "b", label=mask(7))
    found = json.loads(json.dumps(check_dataset("5", watched).as_json()))
    assert (found["sound"], found["cases"], found["dataset"]) == (False, 6, "Dataset005_Mine")
    (error,) = found["errors"]
    assert error["file"] == str(pictures / "labelsTr/b.png")
    assert error["problem"].startswith("holds the value 7")
    assert [one["name"] for one in found["classes"]] == ["disc", "cup"]
    assert found["classes"][0]["cases"] == 5
    assert found["classes"][0]["share"] == pytest.approx(20 / 24**2)


def test_a_summary(volumes, watched):
    text = check_dataset("5", watched).as_text()
    assert text.splitlines()[:3] == [
        "Dataset005_Mine: 6 cases, 1 channel",
        "  sizes: 4 x 24 x 24 voxels to 4 x 24 x 24 voxels, median 4 x 24 x 24 voxels",
        "  spacings: 5 x 1 x 1 to 5 x 1 x 1, median 5 x 1 x 1",
    ]


def test_volumes_without_a_spacing_are_named(volumes, findings):
    """For MetaImage and NRRD, as nnU-Net's reader takes 1 for it; NIfTI is an error."""
    describe(volumes, file_ending=".mha")
    for file in sorted(volumes.glob("*Tr/*.nii.gz")):
        new = file.with_name(file.name.replace(".nii.gz", ".mha"))
        SimpleITK.WriteImage(SimpleITK.ReadImage(str(file)), str(new))
        file.unlink()
    assert findings() == ("", "")
    for name in ("imagesTr/b_0000.mha", "labelsTr/b.mha"):
        head, line, rest = (volumes / name).read_bytes().partition(b"ElementSpacing = 1 1 5\n")
        assert line
        (volumes / name).write_bytes(head + rest)
    errors, warnings = findings()
    assert errors == ""
    assert "1 image whose spacing nothing says, and 1 mm is taken: b." in warnings
