"""Images that a network or a planner cannot take, seen before they work with them."""

import numpy as np
import pytest
from PIL import Image

from nnunet_vit.data.checks.images import ImageFacts, Wanted, look_at_case
from nnunet_vit.data.checks.raster_reading import Raster, read, reader_for
from nnunet_vit.data.checks.sampling import Target
from nnunet_vit.errors import MachineError

pytestmark = pytest.mark.unit

RGB = Wanted(("R", "G", "B"), ("RGBTo01Normalization",) * 3, "the model")
GREY = Wanted(("CT",), ("ZScoreNormalization",), "the model")
NOISE = np.random.default_rng(0)


@pytest.fixture
def case(tmp_path):
    """`case(wanted, arrays)` is a look at a case with those channel files."""

    def look(wanted, *arrays, ending=".png", spacing=(1.0, 1.0)):
        files = [tmp_path / f"c_{number:04}{ending}" for number in range(len(arrays))]
        for file, values in zip(files, arrays, strict=True):
            if isinstance(values, bytes):
                file.write_bytes(values)
            elif ending in {".nii.gz", ".mha"}:
                import SimpleITK

                image = SimpleITK.GetImageFromArray(values, isVector=False)
                image.SetSpacing((*spacing, 1.0, 1.0)[: image.GetDimension()])
                SimpleITK.WriteImage(image, str(file))
            else:
                from skimage import io

                io.imsave(file, values, check_contrast=False)
        reader = reader_for({"file_ending": ending}, files, "image")
        return look_at_case(files, reader, ending, wanted=wanted)

    return look


def noise(*shape, high=255, kind=np.uint8):
    return (NOISE.random(shape) * high).astype(kind)


def test_sound_cases(case):
    assert isinstance(case(RGB, noise(6, 8, 3)), ImageFacts)
    assert isinstance(case(RGB, noise(6, 8), noise(6, 8), noise(6, 8)), ImageFacts)
    assert case(GREY, noise(6, 8, kind=np.float32), ending=".nii.gz").shape == (1, 6, 8)
    assert case(GREY, noise(5, 6, 8, kind=np.int16), ending=".nii.gz").shape == (5, 6, 8)


@pytest.mark.parametrize(
    ("wanted", "shape", "problem", "remedy"),
    [
        (RGB, (6, 8, 4), "has 4 channels (with transparency); the model takes 3 (R, G, B)",
         "save it without transparency"),
        (RGB, (6, 8), "has 1 channel (grey); the model takes 3 (R, G, B)",
         "save it in colour (RGB), as the training images were"),
        (RGB, (6, 8, 2), "has 2 channels, grey and transparency", "save it without transparency"),
        (GREY, (6, 8, 3), "has 3 channels (red, green, blue); the model takes 1 (CT)",
         "save it as grey"),
        (GREY, (6, 8, 4), "has 4 channels (with transparency); the model takes 1 (CT)",
         "save it as grey"),
    ],
)  # fmt: skip
def test_channels_that_do_not_fit(case, wanted, shape, problem, remedy):
    (fault,) = case(wanted, noise(*shape))
    assert (fault.file.name, fault.problem, fault.remedy) == ("c_0000.png", problem, remedy)


@pytest.mark.parametrize(("wanted", "shape"), [(RGB, (6, 8, 3)), (GREY, (6, 8))])
def test_a_file_too_many(case, wanted, shape):
    (fault,) = case(wanted, noise(*shape), noise(6, 8))
    assert fault.file.name == "c_0001.png"
    assert fault.problem.startswith("is one file too many: the model takes ")


@pytest.mark.parametrize(
    ("wanted", "kept"), [(GREY, "one of its volumes"), (RGB, "the 3 volumes that are channels")]
)
def test_several_volumes_in_one_file_are_no_colours(case, wanted, kept):
    (fault,) = case(wanted, noise(5, 4, 6, 8, kind=np.int16), ending=".nii.gz")
    assert fault.problem.startswith("has 5 channels")
    assert fault.remedy == f"keep {kept}; volumes of other times are cases of their own"


def test_a_file_too_few(case):
    (fault,) = case(RGB, noise(6, 8), noise(6, 8))
    assert "is the last of 2 files of its case with 2 channels in all" in fault.problem
    (fault,) = case(Wanted(("T1", "T2"), ("Z", "Z"), "the model"), noise(6, 8), ending=".tif")
    assert fault.remedy == "add the files of the other channels, _0001 and so on"


def test_every_bad_channel_of_a_case_is_named(case):
    faults = case(RGB, noise(6, 8), b"", b"<html>")
    assert [fault.file.name for fault in faults] == ["c_0001.png", "c_0002.png"]


def test_channels_on_other_pixels(case):
    (fault,) = case(RGB, noise(6, 8), noise(6, 8), noise(7, 8))
    assert (fault.file.name, fault.problem) == (
        "c_0002.png", "is 7 x 8 pixels, c_0000.png 6 x 8 pixels",
    )  # fmt: skip


def test_more_than_8_bits_and_numbers_that_are_none(case):
    (fault,) = case(RGB, noise(6, 8, 3, high=60000, kind=np.uint16), ending=".tif")
    assert fault.problem.endswith("; a channel named rgb_to_0_1 holds 0 to 255")
    (fault,) = case(RGB, noise(6, 8, 3, high=0.9, kind=np.float32), ending=".tif")
    assert fault.problem.startswith("holds fractions up to 0.")
    for value in (np.nan, np.inf):
        image = noise(6, 8, kind=np.float32)
        image[2, 3] = value
        (fault,) = case(GREY, image, ending=".tif")
        assert fault.problem == "holds values that are not finite (NaN)"
    dark = np.zeros((6, 8, 3), np.uint8)
    dark[0] = 1
    assert isinstance(case(RGB, dark), ImageFacts)
    assert isinstance(case(GREY, noise(6, 8, high=60000, kind=np.uint16)), ImageFacts)


def at(training, shape=(64, 64), channels=1):
    target = Target((training,) * 2, (0, 1, 2), (999.0, training, training), channels, 2)
    return Wanted(GREY.channels, GREY.schemes, "the model", target), noise(*shape, kind=np.float32)


@pytest.mark.parametrize(
    ("spacing", "after"), [(0.001, "0 x 0"), (1000.0, "64000 x 64000"), (0.005, "0 x 0")]
)
def test_a_spacing_in_another_unit(case, spacing, after):
    (fault,) = case(*at(1.0), ending=".nii.gz", spacing=(spacing,) * 2)
    assert fault.problem == (
        f"has spacing {spacing:g} x {spacing:g}, the training images 1 x 1: it would be resampled "
        f"from 64 x 64 to {after}"
    )


@pytest.mark.parametrize("spacing", [0.05, 0.3, 1.0, 20.0])
def test_spacings_that_resampling_is_for(case, spacing):
    assert isinstance(case(*at(1.0), ending=".nii.gz", spacing=(spacing,) * 2), ImageFacts)


def test_a_size_that_the_machine_cannot_hold(case, monkeypatch):
    monkeypatch.setattr("nnunet_vit.data.checks.sampling.ASKED_FROM", 1000)
    monkeypatch.setattr("nnunet_vit.data.checks.sampling.bytes_of_machine", lambda: 10_000)
    (fault,) = case(*at(1.0), ending=".nii.gz")
    assert fault.problem.startswith("needs 0.0 MB of memory at 1 x 64 x 64 voxels")


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("ITK ERROR: Failed to allocate memory for image.")]
)
def test_an_image_larger_than_the_memory_is_the_machines_matter(case, monkeypatch, error):
    from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO

    def fail(self, files):
        raise error

    monkeypatch.setattr(SimpleITKIO, "read_images", fail)
    with pytest.raises(MachineError, match=r"c_0000.mha \(0.0 MB on the disk\): memory ran out"):
        case(GREY, noise(6, 8), ending=".mha")


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_several_coloured_pictures_in_a_file(case, tmp_path, ending):
    file = tmp_path / f"several{ending}"
    pages = [Image.fromarray(noise(6, 8, 3)) for _ in range(3)]
    pages[0].save(file, save_all=True, append_images=pages[1:])
    reader = reader_for({"file_ending": ".png"}, [], "image")
    fault = read(file, reader, ending, "image")
    if isinstance(fault, Raster):  # older imageio reads an animation's first picture
        assert fault.values.shape == (3, 1, 6, 8) and ending == ".png"
        return
    assert fault.problem == "holds 3 pictures, an animation or pages"
    assert fault.remedy == "save one picture per file"


ONE = "holds one picture; nnU-Net reads *{} as stacks of slices"


@pytest.mark.parametrize(
    ("shape", "ending", "problem", "remedy"),
    [
        ((6, 8), ".tiff", ONE.format(".tiff"), "name all files .tif, and file_ending"),
        ((6, 8, 3), ".tiff", ONE.format(".tiff"), "name all files .tif, and file_ending"),
        ((6, 8), ".tif", ONE.format(".tif"), "let all files be pictures, or all stacks"),
        ((5, 6, 8, 3), ".tiff", "has 4 axes (QYXS), not 3", "save one file per channel"),
    ],
)
def test_a_tiff_that_is_no_stack(tmp_path, shape, ending, problem, remedy):
    """`.tiff` is for stacks alone; a coloured picture would be read as lines of three pixels."""
    import tifffile

    reader = reader_for({"file_ending": ".tiff"}, [], "image")
    file, stack = tmp_path / f"x{ending}", tmp_path / f"stack{ending}"
    tifffile.imwrite(stack, noise(5, 6, 8))
    assert read(stack, reader, ending, "image").values.shape == (1, 5, 6, 8)
    tifffile.imwrite(file, noise(*shape))
    fault = read(file, reader, ending, "image")
    assert fault.problem.startswith(problem)
    assert fault.remedy.startswith(remedy)
