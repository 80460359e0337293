"""All training files are looked at before planning, and every bad one is in the one answer."""

import json

import numpy as np
import pytest
from PIL import Image

from nnunet_vit.data.checking.training_files import check_training_files
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.errors import DataError
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

SIZE = 24
LABELS = {"background": 0, "disc": 1}
FIX_CHANNEL = "add it, or move the case's other files away, its label too."


class Said(Progress):
    def __init__(self):
        self.lines, self.cases = [], []

    def warn(self, text):
        self.lines.append(text)

    def case(self, name):
        self.cases.append(name)


DRAWS = np.random.default_rng(0)


def picture(channels=3, size=SIZE):
    shape = (size, size) if channels == 1 else (size, size, channels)
    return DRAWS.integers(0, 255, shape, np.uint8)


def mask(value=1, size=SIZE):
    found = np.zeros((size, size), np.uint8)
    found[4:9, 4:9] = value
    return found


@pytest.fixture
def sound(write_dataset):
    """A dataset of three RGB pictures with masks of one class; returns its folder."""
    raw = write_dataset(channel_names={str(n): "rgb_to_0_1" for n in range(3)}, labels=LABELS)
    for case in "abc":
        Image.fromarray(picture()).save(raw / "imagesTr" / f"{case}_0000.png")
        Image.fromarray(mask()).save(raw / "labelsTr" / f"{case}.png")
    return raw


def checked(vit_patch=16):
    said = Said()
    check_training_files(find_dataset(5), vit_patch, said)
    return said


def refusal(vit_patch=16):
    with pytest.raises(DataError) as caught:
        checked(vit_patch)
    return str(caught.value)


def change(raw, **changes):
    path = raw / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_sound_dataset_is_looked_at_case_by_case(sound):
    said = checked()
    assert said.lines == []
    assert sorted(said.cases) == ["a", "b", "c"]


def test_all_bad_files_are_one_answer_with_the_remedies(sound):
    images, labels = sound / "imagesTr", sound / "labelsTr"
    (images / "a_0000.png").write_bytes((images / "a_0000.png").read_bytes()[:60])
    Image.fromarray(picture(4)).save(images / "b_0000.png")
    Image.fromarray(mask(255)).save(labels / "b.png")
    Image.fromarray(mask(size=20)).save(labels / "c.png")
    lines = refusal().splitlines()
    assert lines[0] == f"{sound} has 4 bad files: 4 problems"
    text = "\n".join(lines[1:])
    assert f"{images / 'a_0000.png'} is cut off" in text
    assert f"{images / 'b_0000.png'} has 4 channels (with transparency)" in text
    assert f"{labels / 'b.png'} holds the value 255; dataset.json knows 0, 1." in text
    assert "is 255 the class 1? Then write 1 for 255." in text
    assert f"{labels / 'c.png'} is 20 x 20 pixels, c_0000.png 24 x 24 pixels." in text


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Image.fromarray(mask()).convert("P"), "palette"),
        (lambda: Image.fromarray(np.stack([mask()] * 3, -1)), "has 3 colour channels"),
        (lambda: Image.fromarray(mask(7)), "holds the value 7; dataset.json knows 0, 1"),
    ],
    ids=["palette", "RGB", "unknown value"],
)
def test_labels_that_are_not_what_they_seem(sound, make, words):
    made = make()
    if made.mode == "P":
        made.putpalette([0, 0, 0, 128, 0, 0])
    for case in "abc":
        made.save(sound / "labelsTr" / f"{case}.png")
    text = refusal()
    assert text.startswith(f"{sound / 'labelsTr'}: a.png, b.png, c.png: each ")
    assert words in text and " Fix: " in text


def test_no_foreground_pixel_anywhere(sound):
    for case in "abc":
        Image.fromarray(mask(0)).save(sound / "labelsTr" / f"{case}.png")
    assert refusal() == (
        f"{sound}: no foreground pixel in any of 3 label files. Fix: are they the right files? "
        "The classes are disc (1)."
    )


def test_pixels_to_ignore_are_no_foreground(sound):
    change(sound, labels={"background": 0, "disc": 1, "ignore": 2})
    for case in "abc":
        Image.fromarray(mask(2)).save(sound / "labelsTr" / f"{case}.png")
    assert "no foreground pixel in any of 3 label files" in refusal()


def test_a_class_that_no_label_file_holds_is_said(sound):
    change(sound, labels={"background": 0, "disc": 1, "cup": 2})
    assert checked().lines == ["No label file holds cup: nothing can be learned of it."]


def test_files_of_other_programs_are_left_out_and_said(sound):
    for name in ("imagesTr/._a_0000.png", "labelsTr/._a.png", "imagesTr/.DS_Store"):
        (sound / name).write_bytes(b"\0\5\26\7")
    (sound / "imagesTr" / "d_0000.PNG").touch()
    assert checked().lines == [
        "Left out of imagesTr: ._a_0000.png, files of other programs.",
        "Left out of imagesTr: 1 file *.PNG; file_ending is .png.",
        "Left out of labelsTr: ._a.png, files of other programs.",
    ]


@pytest.mark.parametrize(("first", "lost"), [(0, "0001"), (0, "0002"), (1, "0001")])
def test_a_missing_channel_file_is_named_whatever_the_first_number(write_dataset, first, lost):
    raw = write_dataset(
        cases=(), channel_names={"0": "R", "1": "G", "2": "B"}, numTraining=3, labels=LABELS
    )
    for case in "abc":
        for number in range(first, first + 3):
            Image.fromarray(picture(1)).save(raw / "imagesTr" / f"{case}_{number:04d}.png")
        Image.fromarray(mask()).save(raw / "labelsTr" / f"{case}.png")
    assert checked().lines == []
    (raw / "imagesTr" / f"b_{lost}.png").unlink()
    assert refusal() == (
        f"{raw / 'imagesTr' / f'b_{lost}.png'} is missing; other cases have this channel. "
        f"Fix: {FIX_CHANNEL}"
    )


def test_one_picture_in_place_of_three_channel_files_is_as_good(write_dataset):
    raw = write_dataset(
        cases=(), channel_names={"0": "R", "1": "G", "2": "B"}, numTraining=3, labels=LABELS
    )
    for case in "abc":
        for number in range(1 if case == "c" else 3):
            image = picture(3 if case == "c" else 1)
            Image.fromarray(image).save(raw / "imagesTr" / f"{case}_{number:04d}.png")
        Image.fromarray(mask()).save(raw / "labelsTr" / f"{case}.png")
    assert checked().lines == []


def test_listed_files_are_looked_at_where_they_lie(write_dataset, tmp_path):
    listed = {
        case: {"images": [f"{tmp_path}/{case}.bmp"], "label": f"../masks/{case}.png"}
        for case in "xyz"
    }
    raw = write_dataset(cases=(), numTraining=3, dataset=listed, labels=LABELS)
    assert refusal().startswith(
        f"{raw / 'dataset.json'}: files listed under dataset are not there: {tmp_path / 'x.bmp'}, "
    )
    (raw.parent / "masks").mkdir()
    change(raw, channel_names={"0": "R", "1": "G", "2": "B"})
    for case in "xyz":
        Image.fromarray(picture()).save(tmp_path / f"{case}.bmp")
        Image.fromarray(mask()).save(raw.parent / "masks" / f"{case}.png")
    assert checked().lines == []


def test_images_below_one_patch_are_refused(sound):
    assert checked(SIZE).lines == []
    assert refusal(32).startswith("Dataset005_Mine: the plane of its images is 24 x 24 pixels")


@pytest.fixture
def volumes(write_dataset):
    """`volumes(shape, spacings)` writes NIfTI cases as nibabel orders them: (X, Y, Z)."""
    import nibabel

    def write(shape, *spacings, values=None, ending=".nii.gz"):
        cases = "abcde"[: len(spacings)]
        raw = write_dataset(cases=(), numTraining=len(cases), file_ending=ending)
        change(raw, channel_names={"0": "MRI"}, labels=LABELS)
        for case, spacing in zip(cases, spacings, strict=True):
            affine = np.diag([*spacing, 1.0])
            image = DRAWS.random(shape, np.float32)
            if values is not None:
                image[(0,) * 3] = values
            label = (image > 0.5).astype(np.uint8)
            nibabel.save(nibabel.Nifti1Image(image, affine), raw / f"imagesTr/{case}_0000{ending}")
            nibabel.save(nibabel.Nifti1Image(label, affine), raw / f"labelsTr/{case}{ending}")
        return raw

    return write


def test_slices_whose_thin_axis_is_not_the_first_as_read(volumes):
    volumes((1, 32, 32), (1, 1, 1), (1, 1, 1))
    assert "32 x 1 pixels, read as 32 x 32 x 1 (medians)" in refusal()
    assert "Axis 3 as read has size 1" in refusal()


def test_slices_whose_thin_axis_is_the_first_as_read(volumes):
    volumes((32, 32, 1), (1, 1, 1), (1, 1, 1))
    assert checked().lines == []


def test_a_spacing_in_another_unit_is_named_with_its_file(volumes):
    raw = volumes((32, 32, 1), (1, 1, 5), (1, 1, 5), (0.001, 0.001, 5))
    text = refusal()
    assert text.startswith(f"{raw / 'imagesTr' / 'c_0000.nii.gz'} has spacing 0.001 x 0.001")
    assert "another unit" in text


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(volumes, value):
    raw = volumes((32, 32, 1), (1, 1, 1), (1, 1, 1), values=value, ending=".nii")
    text = refusal()
    assert text.startswith(f"{raw / 'imagesTr'}: a_0000.nii, b_0000.nii: each holds values")


def test_a_label_of_another_spacing(volumes):
    import nibabel

    raw = volumes((32, 32, 1), (1, 1, 1), (1, 1, 1))
    path = raw / "labelsTr" / "b.nii.gz"
    label = nibabel.load(path)
    other = nibabel.Nifti1Image(np.asarray(label.dataobj), np.diag([2.0, 2.0, 1.0, 1.0]))
    nibabel.save(other, path)
    assert refusal().startswith(f"{path} has spacing 1 x 2 x 2, b_0000.nii.gz 1 x 1 x 1.")


def test_a_label_that_lies_elsewhere_is_said_as_nnunet_does(volumes):
    import nibabel

    raw = volumes((32, 32, 1), (1, 1, 1), (1, 1, 1))
    assert checked().lines == []
    path = raw / "labelsTr" / "b.nii.gz"
    affine = np.eye(4)
    affine[0, 3] = 7.0  # mm
    nibabel.save(nibabel.Nifti1Image(np.asarray(nibabel.load(path).dataobj), affine), path)
    assert checked().lines == [
        "b.nii.gz: the mask's origin or direction is not its image's; are the two aligned?"
    ]
