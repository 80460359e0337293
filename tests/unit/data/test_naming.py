"""Wrong names of images and labels, in words, with what to rename or convert."""

import pytest

from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.naming import counted_endings, ending_of, image_faults, other_images
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit


def refusal():
    with pytest.raises(DataError) as caught:
        find_dataset(5)
    return str(caught.value)


def fill(folder, *names):
    for file in folder.iterdir():
        file.unlink()
    for name in names:
        (folder / name).touch()
    return folder


def test_images_without_a_channel_number(write_dataset):
    raw = write_dataset()
    images = fill(raw / "imagesTr", "a.png", "b.png", "c.png")
    assert refusal() == (
        f"{images}: image files must end in _0000.png, one number of four digits per channel; "
        "found a.png, b.png, c.png. Fix: rename a.png to a_0000.png, b.png to b_0000.png, and the "
        "others likewise."
    )


@pytest.mark.parametrize("added", [" (1)", "(1)", " - Copy", " - Kopie (2)", " copy", "-copia"])
def test_copies_that_a_browser_or_a_file_manager_made_are_no_cases(write_dataset, added):
    raw = write_dataset()
    (raw / "imagesTr" / f"a_0000{added}.png").touch()
    assert refusal() == (
        f"{raw / 'imagesTr'}: image files must end in _0000.png, one number of four digits per "
        f"channel; found a_0000{added}.png. Fix: are they copies of the images of that name? Then "
        "move them away."
    )


def test_what_only_looks_like_a_copy_is_a_case_without_a_channel_number(tmp_path):
    fill(tmp_path, "a_2024 (1).png", "a_2024 (2).png", "b_0000.png", "b_0000 (1).png")
    copy, case = image_faults(tmp_path, ".png")
    assert "found b_0000 (1).png." in copy.problem and "copies" in copy.fix
    assert case.fix == (
        "rename a_2024 (1).png to a_2024 (1)_0000.png, a_2024 (2).png to a_2024 (2)_0000.png."
    )


def test_labels_with_a_channel_number(write_dataset):
    raw = write_dataset()
    labels = fill(raw / "labelsTr", "a_0000.png", "b_0000.png", "c.png")
    assert refusal() == (
        f"{labels}: label files have no channel number: a_0000.png, b_0000.png. "
        "Fix: rename a_0000.png to a.png, b_0000.png to b.png."
    )


def test_both_mistakes_are_one_answer(write_dataset):
    raw = write_dataset()
    fill(raw / "imagesTr", "a.png")
    fill(raw / "labelsTr")
    lines = refusal().splitlines()
    assert lines[0] == f"{raw}: 2 problems"
    assert "found a.png" in lines[1] and "holds no label file *.png" in lines[2]


@pytest.mark.parametrize(
    ("names", "there", "fix"),
    [
        (["a_0000.PNG"], "1 file *.PNG", "rename them to *.png; capital letters count."),
        (
            ["a_0000.jpg", "b_0000.jpg"],
            "2 files *.jpg",
            "convert them to .png, named CASE_0000.png; renaming alone does not do it, and JPEG, "
            "which changes values, is nothing nnU-Net reads.",
        ),
        (["list.csv"], "1 file *.csv", "put the image files there, named CASE_0000.png."),
        (
            ["a_0000.nii.gz"],
            "1 file *.nii.gz",
            "convert them to .png, named CASE_0000.png; renaming alone does not do it. "
            'Or dataset.json: "file_ending": ".nii.gz", for images and labels alike.',
        ),
    ],
)
def test_images_of_another_ending(tmp_path, names, there, fix):
    fill(tmp_path, *names, "._a_0000.png", "Thumbs.db")
    assert image_faults(tmp_path, ".png") == [
        Fault(
            f"{tmp_path} holds no image *.png: nothing to train on; it holds {there}.",
            fix,
        )
    ]


def test_the_ending_of_a_trained_model_stays(tmp_path):
    fill(tmp_path, "a_0000.jpg")
    assert image_faults(tmp_path, ".png", of_model=True) == [
        Fault(
            f"{tmp_path} holds no image *.png; it holds 1 file *.jpg.",
            "convert them to .png, named CASE_0000.png; renaming alone does not do it: the model "
            "was trained on .png.",
        )
    ]


def test_images_in_folders_below(tmp_path):
    (tmp_path / "left").mkdir()
    (tmp_path / "left" / "a_0000.png").touch()
    assert image_faults(tmp_path, ".png") == [
        Fault(
            f"{tmp_path} holds no image *.png: nothing to train on. nnU-Net does not look into "
            "left.",
            "name them CASE_0000.png.",
        )
    ]


def test_no_folder(tmp_path):
    missing, file = tmp_path / "missing", tmp_path / "file"
    file.touch()
    assert image_faults(missing, ".png") == [Fault(f"{missing} is missing.")]
    assert image_faults(file, ".png") == [Fault(f"{file} is a file, a folder is needed.")]


def test_channels_counted_from_1_are_nnunets_too(tmp_path):
    fill(tmp_path, "a_0001.png", "a_0002.png", "b_0001.png", "b_0002.png")
    assert image_faults(tmp_path, ".png") == []


def test_cases_whose_channels_have_other_numbers(tmp_path):
    fill(tmp_path, *(f"{case}_000{n}.png" for case in "abc" for n in (0, 1)))
    (tmp_path / "b_0001.png").rename(tmp_path / "b_0002.png")
    (fault,) = image_faults(tmp_path, ".png")
    assert fault.problem == (
        f"{tmp_path}: the channel numbers differ between cases: b has 0000, 0002, others have "
        "0000, 0001. Such cases: b."
    )


def test_files_of_other_programs_are_no_cases(write_dataset):
    raw = write_dataset()
    for name in ("imagesTr/._a_0000.png", "labelsTr/._a.png", "imagesTr/.DS_Store"):
        (raw / name).touch()
    (raw / "labelsTr" / "Thumbs.db").touch()
    assert find_dataset(5).raw == raw


def test_pictures_that_are_left_out(tmp_path):
    fill(tmp_path, "a_0000.png", "b_0000.PNG", "c.jpg", "list.csv", "._d.jpg")
    others = other_images(tmp_path, ".png")
    assert [file.name for file in others] == ["b_0000.PNG", "c.jpg"]
    assert counted_endings(others) == "1 file *.PNG, 1 file *.jpg"
    assert [ending_of(name) for name in ("a.nii.gz", "b.x.PNG", "c")] == [".nii.gz", ".PNG", ""]


def test_a_line_break_in_a_name_is_shown_as_such(write_dataset):
    raw = write_dataset()
    fill(raw / "imagesTr", "a\n.png")
    assert "found a\\n.png. Fix: rename a\\n.png to a\\n_0000.png" in refusal()


def test_many_problems_are_cut():
    with pytest.raises(DataError) as caught:
        refuse("here", [Fault(str(number)) for number in range(25)])
    lines = str(caught.value).splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("here: 25 problems", "  0", "  and 5 more")
    assert len(lines) == 22
    refuse("here", [])
