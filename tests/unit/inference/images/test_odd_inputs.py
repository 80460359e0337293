"""Damaged and odd files of each format: a fault with a remedy, or what nnU-Net's reader reads."""

import nibabel
import numpy as np
import pytest
import tifffile
from picture_formats import formats, pixels, save
from PIL import Image

from nnunet_vit.data.checks.images import ImageFacts, Wanted, look_at_case

pytestmark = pytest.mark.unit
GREY, COLOUR = pixels(), pixels(3)


def look(file, channels, **more):
    """Return the fault of a file, or nothing."""
    own = formats(**more)
    wanted = Wanted(("c",) * channels, ("ZScoreNormalization",) * channels, "the model")
    fault = own.fault(file, "")
    found = [fault] if fault else look_at_case(
        [file], own.reader_of([file]), own.ending_of(file), wanted=wanted
    )  # fmt: skip
    return None if isinstance(found, ImageFacts) else found[0]


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".tif", ".nii.gz", ".nrrd", ".mha"])
def test_a_file_cut_off_anywhere(tmp_path, ending):
    file = save(tmp_path / f"a_0000{ending}", GREY)
    assert look(file, 1) is None
    whole = file.read_bytes()
    for tenth in range(10):
        file.write_bytes(whole[: len(whole) * tenth // 10])
        fault = look(file, 1)
        assert fault is not None and fault.remedy, tenth


@pytest.mark.parametrize(
    ("write", "name", "channels"),
    [
        (lambda f: Image.fromarray(GREY.astype(np.uint16) * 200).save(f), "deep.png", 1),
        (lambda f: Image.fromarray(COLOUR).convert("P").save(f), "palette.png", 3),
        (lambda f: Image.fromarray(GREY > 99).save(f), "bits.png", 1),
        (lambda f: Image.fromarray(COLOUR[:1, :1]).save(f), "one.png", 3),
        (lambda f: Image.fromarray(GREY[:1, :3]).save(f), "row.bmp", 1),
        (lambda f: tifffile.imwrite(f, GREY.astype(">u2"), byteorder=">"), "big.tif", 1),
        (lambda f: tifffile.imwrite(f, GREY / np.float32(7)), "floats.tif", 1),
        (lambda f: f.write_bytes(jpeg(f.parent)), "jpeg.png", 3),
    ],
)
def test_what_nnunet_reads_is_read(tmp_path, write, name, channels):
    file = tmp_path / name
    write(file)
    assert look(file, channels, ending=file.suffix) is None
    assert formats(ending=file.suffix).reader_of([file]).__name__ == "NaturalImage2DIO"


def jpeg(folder):
    return save(folder / "x.jpg", COLOUR).read_bytes()


@pytest.mark.parametrize(
    ("write", "name", "problem"),
    [
        (lambda f: save(f.with_name("x.png"), COLOUR).rename(f), "png.tif", "is a PNG, not what"),
        (lambda f: save(f, np.zeros((4, 5, 6), np.uint8)), "v.nrrd", "is a volume of 4 planes; "),
        (
            lambda f: Image.fromarray(COLOUR).convert("RGBA").save(f),
            "a.png",
            "has 4 channels (with",
        ),
        (lambda f: Image.fromarray(COLOUR).convert("LA").save(f), "la.png", "has 2 channels, grey"),
        (
            lambda f: tifffile.imwrite(f, np.full((9, 9), np.nan, "f4")),
            "n.tif",
            "holds values that",
        ),
        (
            lambda f: tifffile.imwrite(f, np.full((9, 9), np.inf, "f4")),
            "i.tif",
            "holds values that",
        ),
        (lambda f: f.write_bytes(b""), "empty.png", "is empty, 0 bytes"),
    ],
)
def test_what_nnunet_would_read_wrongly_or_not_at_all(tmp_path, write, name, problem):
    write(tmp_path / name)
    fault = look(tmp_path / name, 1)
    assert fault.problem.startswith(problem)
    assert fault.remedy


def test_axes_of_a_nifti(tmp_path):
    ct = {"reader": "SimpleITKIO", "ending": ".nii.gz", "spacing": (3.0, 0.8, 0.8)}
    sheared = np.diag([0.8, 0.8, 3, 1])
    sheared[0, 1] = 0.3
    for name, shape, affine, problem in (
        ("time", (5, 6, 7, 3), np.diag([0.8, 0.8, 3, 1]), "has 3 channels"),
        ("sheared", (5, 6, 7), sheared, "cannot be read: ITK only supports orthonormal"),
    ):
        file = tmp_path / f"{name}_0000.nii.gz"
        nibabel.save(nibabel.Nifti1Image(np.ones(shape, np.int16), affine), file)
        fault = look(file, 1, **ct)
        assert fault.problem.startswith(problem) and fault.remedy
