"""An image says the same in each format that a model takes; what says less, or more, is refused."""

import numpy as np
import pytest
import SimpleITK
from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name
from picture_formats import PLANES, formats, pixels, save
from PIL import Image

from nnunet_vit.data.checks.images import ImageFacts, Wanted, look_at_case
from nnunet_vit.inference.images.image_formats import foreign_notices

pytestmark = pytest.mark.unit

MM = (999.0, 0.7, 0.7)


def read(own, file):
    reader = own.reader_of([file])()
    return reader.read_images([str(file)])


@pytest.mark.parametrize("ending", [".png", ".PNG", ".bmp", ".tif", ".tiff", ".nii.gz", ".nrrd"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_model_of_pictures(tmp_path, ending, channels):
    values = pixels(channels)
    if channels > 1 and ending in (".nii.gz", ".nrrd"):
        return  # numbers of several channels in a voxel are refused by the look at images
    own = formats()
    found, known = read(own, save(tmp_path / f"a_0000{ending}", values))
    expected = values.reshape(20, 30, -1).transpose(2, 0, 1)[:, None]
    assert np.array_equal(found, expected)
    assert tuple(known["spacing"]) == (999, 1, 1)
    own.own().write_seg(found[0] > 100, str(tmp_path / "mask.png"), known)


def test_a_jpeg_is_read_and_told(tmp_path):
    file = save(tmp_path / "a_0000.jpg", np.full((8, 8), 7, np.uint8))
    found, _ = read(formats(), file)
    assert np.array_equal(found, np.full((1, 1, 8, 8), 7))
    (line,) = foreign_notices([[file], [tmp_path / "b_0000.png"]], ".png")
    assert line == (
        "Read as the model's *.png: 1 file *.jpg; masks are *.png. JPEG has changed values, and "
        "masks may differ for it."
    )
    assert list(foreign_notices([[tmp_path / "b_0000.png"]], ".png")) == []


@pytest.mark.parametrize(
    ("save_as", "problem"),
    [
        ({"exif": 6}, "is to be turned (EXIF orientation 6), which some programs do and others"),
        ({"mode": "CMYK"}, "stores its colours as CMYK"),
        ({"exif": 1}, None),
        ({}, None),
    ],
)
def test_a_jpeg_whose_pixels_are_not_what_people_see(tmp_path, save_as, problem):
    picture = Image.fromarray(pixels(3)).convert(save_as.get("mode", "RGB"))
    exif = picture.getexif()
    if "exif" in save_as:
        exif[0x0112] = save_as["exif"]
    picture.save(tmp_path / "a.jpg", exif=exif)
    fault = formats().fault(tmp_path / "a.jpg", "")
    assert fault is None if problem is None else fault.problem.startswith(problem)


def test_a_volume_is_no_picture(tmp_path):
    file = save(tmp_path / "a_0000.nrrd", np.zeros((4, 5, 6), np.uint8))
    with pytest.raises(ValueError, match="it has 4 planes, and the model was trained on pictures"):
        read(formats(), file)


def test_a_picture_for_a_model_of_planes_of_size_1(tmp_path):
    own = formats("SimpleITKIO", ".nii.gz")
    values = pixels()
    found, known = read(own, save(tmp_path / "a_0000.png", values))
    plane, expected = read(own, save(tmp_path / "a_0000.nii.gz", values))
    assert np.array_equal(found, plane)
    assert known["spacing"] == tuple(expected["spacing"])
    for kind, properties in (("picture", known), ("plane", expected)):
        own.own().write_seg(values[None] > 99, str(tmp_path / f"{kind}.nii.gz"), properties)
    one, other = (SimpleITK.ReadImage(str(tmp_path / f"{kind}.nii.gz"))
                  for kind in ("picture", "plane"))  # fmt: skip
    for what in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(one, what)() == getattr(other, what)()


@pytest.mark.parametrize("spacing", [MM, (1.0, 1.0, 1.0), (1.0, 1.0), ()])
def test_a_picture_for_a_model_with_a_spacing(tmp_path, spacing):
    own = formats("SimpleITKIO", ".nii.gz", spacing)
    fault = own.fault(save(tmp_path / "a_0000.png", pixels()), "")
    assert fault.problem == (
        "is a picture, which does not say how large a pixel is; the model was trained on *.nii.gz"
    )
    assert fault.remedy == "convert it to .nii.gz with its spacing"


def placed(file):
    image = SimpleITK.GetImageFromArray(np.random.default_rng(1).integers(0, 9, (3, 4, 5)))
    image.SetSpacing((0.5, 2.0, 3.0))
    image.SetOrigin((3, -4, 5))
    image.SetDirection((0, 1, 0, 1, 0, 0, 0, 0, -1))
    SimpleITK.WriteImage(image, str(file))
    return file


@pytest.mark.parametrize("ending", [".nrrd", ".mha", ".nii"])
@pytest.mark.parametrize(
    "name", ["SimpleITKIO", "SimpleITKIOWithReorient", "NibabelIO", "NibabelIOWithReorient"]
)
def test_volumes_in_every_format(tmp_path, name, ending):
    own = formats(name, ".nii.gz", MM)
    found, known = read(own, placed(tmp_path / f"a_0000{ending}"))
    expected, plain = read(own, placed(tmp_path / "a_0000.nii.gz"))
    assert np.array_equal(found, expected)
    assert np.allclose(known["spacing"], plain["spacing"])
    writer = recursive_find_reader_writer_by_name(name)()
    writer.write_seg(found[0] > 4, str(tmp_path / "mask.nii.gz"), known)
    mask = SimpleITK.ReadImage(str(tmp_path / "mask.nii.gz"))
    image = SimpleITK.ReadImage(str(tmp_path / f"a_0000{ending}"))
    assert np.array_equal(SimpleITK.GetArrayFromImage(mask), SimpleITK.GetArrayFromImage(image) > 4)
    for what in ("GetSpacing", "GetOrigin", "GetDirection"):
        assert np.allclose(getattr(mask, what)(), getattr(image, what)(), atol=1e-6)


@pytest.mark.parametrize(
    ("reader", "ending", "name", "problem"),
    [
        ("NibabelIO", ".nii.gz", "a.jpg", "is a picture, which does not say how large a pixel is"),
        ("Tiff3DIO", ".tif", "a_0000.nii.gz", "is a *.nii.gz; the model was trained on *.tif"),
        ("Tiff3DIO", ".tif", "a_0000.png", "is a *.png; the model was trained on *.tif"),
        ("Tiff3DIO", ".tif", "a.tif", "has no channel number, and nnU-Net finds a stack's spacing"),
        ("NaturalImage2DIO", ".png", "a.gif", "is no image that this model takes: .bmp, .gipl, "),
        ("NaturalImage2DIO", ".png", "a", "is no image that this model takes: "),
    ],
)
def test_what_is_not_taken(tmp_path, reader, ending, name, problem):
    (tmp_path / name).touch()
    assert formats(reader, ending).fault(tmp_path / name, "").problem.startswith(problem)


@pytest.mark.parametrize("ending", [".bmp", ".tif", ".jpg", ".nrrd", ".mha", ".nii"])
def test_what_was_cut_off(tmp_path, ending):
    file = save(tmp_path / f"a_0000{ending}", pixels())
    own, wanted = formats(), Wanted(("grey",), ("ZScoreNormalization",), "the model")
    look = look_at_case([file], own.reader_of([file]), own.ending_of(file), wanted=wanted)
    assert isinstance(look, ImageFacts)
    whole = file.read_bytes()
    for length in (len(whole) * 9 // 10, len(whole) // 2, 30, 0):
        file.write_bytes(whole[:length])
        look = look_at_case([file], own.reader_of([file]), own.ending_of(file), wanted=wanted)
        assert isinstance(look, list) and look[0].file == file


def test_a_file_that_is_not_there(tmp_path):
    fault = formats().fault(tmp_path / "a.png", "line 3 of list.txt")
    assert fault.problem == "is not there; line 3 of list.txt names it"
    assert formats().fault(tmp_path / "a.png", "").problem == "is not there"


def test_planes_are_those_of_pictures_whatever_the_order_of_axes():
    for spacing in (PLANES, PLANES[::-1]):
        assert ".jpg" in formats("SimpleITKIO", ".nii.gz", spacing).readers
    assert ".jpg" not in formats("SimpleITKIOWithReorient", ".nii.gz").readers
