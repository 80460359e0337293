"""Masks that are not what they seem: each is refused with its likely cause."""

import pickle

import numpy as np
import pytest

from nnunet_vit.data.checks.masks import MaskFacts, compare, look_at_mask
from nnunet_vit.data.checks.raster_reading import in_threads, reader_for
from nnunet_vit.data.file_faults import FileFault, grouped
from nnunet_vit.data.labels import labels_of

pytestmark = pytest.mark.unit

DISC = {"background": 0, "disc": 1}
TWO = {"background": 0, "disc": 1, "cup": 2}
REGIONS = {"background": 0, "whole": [1, 2], "cup": 2, "ignore": 3}


@pytest.fixture
def mask(tmp_path):
    """`mask(values)` is a look at a file that holds them."""

    def look(values, labels=DISC, ending=".png", save=None):
        file = tmp_path / f"m{ending}"
        (save or save_as(ending))(np.asarray(values), file)
        reader = reader_for({"file_ending": ending}, [file], "mask")
        return look_at_mask(file, reader, ending, labels=labels_of({"labels": labels}))

    return look


def save_as(ending):
    def picture(values, file):
        from skimage import io

        io.imsave(file, values, check_contrast=False)

    def volume(values, file):
        import SimpleITK

        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values, isVector=False), str(file))

    return picture if ending in {".png", ".bmp", ".tif"} else volume


def square(*values, kind=np.uint8):
    result = np.zeros((6, 8), kind)
    result[1, 1 : 1 + len(values)] = values
    return result


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif", ".nii.gz", ".nrrd", ".mha"])
def test_a_sound_mask(mask, ending):
    facts = mask(square(1), ending=ending)
    assert isinstance(facts, MaskFacts)
    assert facts.shape == (1, 6, 8)


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.uint16, np.uint8])
def test_whole_numbers_of_any_type_are_a_mask(mask, kind):
    assert isinstance(mask(square(1, kind=kind), ending=".nii.gz"), MaskFacts)
    assert isinstance(mask(square(1, kind=kind), ending=".tif"), MaskFacts)


@pytest.mark.parametrize(
    ("values", "labels", "problem", "remedy"),
    [
        ([255], DISC, "holds the value 255; dataset.json knows 0, 1",
         "is 255 the class 1? Then write 1 for 255"),
        ([127, 255], TWO, "holds the values 127, 255; dataset.json knows 0, 1, 2",
         "are 127 and 255 the classes 1 and 2? Then write 1 for 127, 2 for 255"),
        ([1, 255], {**TWO, "rim": 3}, "holds the value 255; dataset.json knows 0, 1, 2, 3",
         'is 255 to be ignored? Then add "ignore": 4 to the labels of dataset.json and write 4 for '
         "255; else write the number of its class"),
        ([1, 255], TWO, "holds the value 255; dataset.json knows 0, 1, 2",
         'is 255 to be ignored? Then add "ignore": 3'),
        ([1, 255], REGIONS, "holds the value 255; dataset.json knows 0, 1, 2, 3",
         "is 255 to be ignored? Then write 3 for 255; else write the number of its class"),
        ([3], REGIONS, None, None),
        ([4], REGIONS, "holds the value 4; dataset.json knows 0, 1, 2, 3",
         "write the numbers of the labels, or name the missing classes in dataset.json"),
        ([2, 7], TWO, "holds the value 7; dataset.json knows 0, 1, 2", "write the numbers"),
        ([7, 9], TWO, "holds the values 7, 9; dataset.json knows 0, 1, 2",
         "are 7 and 9 the classes 1 and 2? Then write 1 for 7, 2 for 9"),
    ],
)  # fmt: skip
def test_values_that_are_no_labels(mask, values, labels, problem, remedy):
    found = mask(square(*values), labels)
    if problem is None:
        assert isinstance(found, MaskFacts)
        return
    assert found.problem == problem
    assert found.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("values", "labels", "asked"),
    [
        ([-1, 1], TWO, "; or are all numbers 1 too low? Then add 1 to each"),
        ([-1], DISC, "; or are all numbers 1 too low? Then add 1 to each"),
        ([-1, 2], TWO, ""),
    ],
)
def test_values_below_the_background(mask, values, labels, asked):
    found = mask(square(*values, kind=np.int16), labels, ".nii.gz")
    assert found.remedy == (
        f"labels begin at 0, the background: write 0 or the number of a class there{asked}"
    )


def test_a_picture_in_place_of_a_mask(mask):
    found = mask(np.arange(48, dtype=np.uint8).reshape(6, 8))
    assert found.problem == "holds many values from 2 to 47; dataset.json knows 0, 1"
    assert found.remedy.startswith("is it a picture, or a mask that was saved as JPEG")


@pytest.mark.parametrize(
    ("value", "words"), [(0.5, "holds the value 0.5, which"), (-1, "the value -1")]
)
def test_floats_that_are_no_labels(mask, value, words):
    found = mask(square(value, kind=np.float32), ending=".nii.gz")
    assert words in found.problem


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_scale_in_the_header_of_a_nifti_is_named(mask, ending):
    import nibabel

    def scaled(values, file):
        image = nibabel.Nifti1Image(values, np.eye(4))
        image.header.set_slope_inter(0.75, 0.5)
        nibabel.save(image, file)

    found = mask(np.ones((4, 5, 1), np.uint8), ending=ending, save=scaled)
    assert "which are not integers" in found.problem
    assert found.remedy == (
        "its header scales what is stored (scl_slope 0.75, scl_inter 0.5): round the values, and "
        "save them as integers without a scale"
    )


@pytest.mark.parametrize("ending", [".tif", ".nrrd"])  # ITK reads a NIfTI's as 0
def test_nan_in_a_mask(mask, ending):
    found = mask(square(np.nan, kind=np.float32), ending=ending)
    assert found.problem == "holds values that are not finite (NaN)"


@pytest.mark.parametrize("channels", [3, 4])
def test_a_mask_in_colours(mask, channels):
    found = mask(np.repeat(square(1)[..., None], channels, axis=2))
    assert found.problem == f"has {channels} colour channels, a mask has one"
    assert found.remedy == "its colours are equal: save one of them as grey"


def test_a_mask_with_a_colour_per_class(mask):
    found = mask(np.stack([square(128), square(0), square(0)], axis=2))
    assert found.remedy == "save a grey picture with the number of its class in each pixel"


@pytest.mark.parametrize("ending", [".png", ".bmp"])
def test_a_palette_mask(mask, ending):
    from PIL import Image

    def save(values, file):
        picture = Image.fromarray(values, "P")
        picture.putpalette([0, 0, 0, 128, 0, 0] + [0] * 762)
        picture.save(file)

    found = mask(square(1), ending=ending, save=save)
    assert found.problem.startswith("is a palette picture, which nnU-Net reads as 3 colour chan")
    assert "np.array(Image.open(FILE))" in found.remedy


def test_grey_with_transparency(mask):
    from PIL import Image

    found = mask(square(1), save=lambda v, f: Image.fromarray(v).convert("LA").save(f))
    assert found.problem == "has 2 channels, grey and transparency"


def test_a_jpeg_by_the_name_of_a_mask(mask):
    from PIL import Image

    found = mask(square(1) * 0, save=lambda v, f: Image.fromarray(v).save(f, format="JPEG"))
    assert found.problem == "is a JPEG named .png, whose compression changes labels"


def test_volumes_of_several_channels(mask):
    found = mask(np.zeros((2, 3, 6, 8), np.uint8), ending=".nii.gz")
    assert found.problem == "has 2 volumes, a mask has one"


def test_colours_in_a_volume(mask):
    import SimpleITK

    def save(values, file):
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values, isVector=True), str(file))

    found = mask(np.zeros((6, 8, 3), np.uint8), ending=".nii.gz", save=save)
    assert found.problem.startswith("holds 3 numbers per voxel (colours?)")


def test_sizes_and_spacings_that_differ(tmp_path):
    one = MaskFacts(tmp_path / "a", (1, 6, 8), (999.0, 1.0, 1.0), ())
    assert compare(one, one, "b", tolerance=1e-3) is None
    other = MaskFacts(tmp_path / "b", (1, 70, 60), (999.0, 1.0, 1.0), ())
    assert compare(one, other, "b", tolerance=1e-3).problem == "is 6 x 8 pixels, b 70 x 60 pixels"
    nearly = MaskFacts(tmp_path / "b", (1, 6, 8), (999.0, 1.0, 1.0001), ())
    assert compare(one, nearly, "b", tolerance=1e-3) is None
    assert (
        compare(one, nearly, "b", tolerance=1e-5).problem
        == "has spacing 999 x 1 x 1, b 999 x 1 x 1.0001"
    )
    assert compare(one, MaskFacts(tmp_path / "b", (1, 6, 8), None, ()), "b", tolerance=1e-5) is None
    slice_of_a_volume = MaskFacts(tmp_path / "b", (1, 6, 8), (2.5, 1.0, 1.0), ())
    assert compare(one, slice_of_a_volume, "b", tolerance=1e-5) is None
    assert compare(slice_of_a_volume, one, "b", tolerance=1e-5) is None
    finer = MaskFacts(tmp_path / "b", (1, 6, 8), (2.5, 0.5, 1.0), ())
    assert compare(one, finer, "b", tolerance=1e-5) is not None
    thicker = MaskFacts(tmp_path / "b", (1, 6, 8), (5.0, 1.0, 1.0), ())
    assert compare(slice_of_a_volume, thicker, "b", tolerance=1e-5) is not None


def test_looks_at_many_files_and_what_they_return_travels(tmp_path):
    save_as(".png")(square(255), tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    reader = reader_for({"file_ending": ".png"}, [], "mask")
    labels = labels_of({"labels": DISC})
    files = sorted(tmp_path.iterdir())
    found = in_threads(lambda file: look_at_mask(file, reader, ".png", labels=labels), files)
    assert pickle.loads(pickle.dumps(found)) == found
    assert [fault.problem[:8] for fault in found] == ["holds th", "is empty"]


def test_files_with_the_same_fault_share_a_sentence(tmp_path):
    faults = [FileFault(tmp_path / f"{n}.png", "is empty", "copy it again") for n in range(7)]
    faults.append(FileFault(tmp_path / "x.png", "is cut off"))
    many, one = grouped(faults)
    assert many.problem == (
        f"{tmp_path}: 0.png, 1.png, 2.png, 3.png, 4.png, … (7 in all): each is empty."
    )
    assert many.fix == "copy it again."
    assert (one.problem, one.fix) == (f"{tmp_path}/x.png is cut off.", "")
