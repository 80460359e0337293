"""Volumes without a spacing are refused where the training images had one."""

import struct

import nibabel
import numpy as np
import pytest
import SimpleITK
from picture_formats import PLANES, formats

pytestmark = pytest.mark.unit
MM = (2.5, 0.7, 0.7)
LACKS = "says no spacing, and 1 mm would be taken"


def volume(file, size=(3, 4, 5)):
    image = SimpleITK.GetImageFromArray(np.zeros(size, np.int16))
    image.SetSpacing(MM[::-1][: len(size)])
    SimpleITK.WriteImage(image, str(file))
    return file


def fault(file, spacing=MM, reader="SimpleITKIO"):
    found = formats(reader, ".nii.gz", spacing).fault(file, "")
    return (found.problem, found.remedy) if found else ("", "")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha", ".gipl"])
@pytest.mark.parametrize("size", [(3, 4, 5), (4, 5)])
def test_a_spacing_is_there(tmp_path, ending, size):
    if (ending, size) != (".gipl", (4, 5)):  # it has no planes
        assert fault(volume(tmp_path / f"a_0000{ending}", size)) == ("", "")


def test_nifti_2_and_big_endian(tmp_path):
    values = np.zeros((5, 4, 3), np.int16)
    for name, image in (
        ("two.nii.gz", nibabel.Nifti2Image(values, np.diag([0.7, 0.7, 2.5, 1]))),
        (
            "big.nii",
            nibabel.Nifti1Image(
                values.astype(">i2"),
                np.diag([0.7, 0.7, 2.5, 1]),
                nibabel.Nifti1Header(endianness=">"),
            ),
        ),
    ):
        nibabel.save(image, tmp_path / name)
        assert fault(tmp_path / name) == ("", "")


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
@pytest.mark.parametrize("reader", ["SimpleITKIO", "NibabelIO"])
def test_a_nifti_whose_header_is_wrong(tmp_path, value, reader):
    file = volume(tmp_path / "a_0000.nii")
    content = bytearray(file.read_bytes())
    struct.pack_into("<f", content, 84, value)
    file.write_bytes(content)
    problem, remedy = fault(file, reader=reader)
    assert problem == f"has spacing 2.5 x {value:g} x 0.7 in its header"
    assert remedy == "write the spacing of its voxels into the file"


@pytest.mark.parametrize(
    ("ending", "line"), [(".nrrd", b"space directions"), (".mha", b"ElementSpacing")]
)
def test_a_header_without_spacing(tmp_path, ending, line):
    file = volume(tmp_path / f"a_0000{ending}")
    lines = file.read_bytes().split(b"\n")
    file.write_bytes(b"\n".join(each for each in lines if not each.startswith(line)))
    assert fault(file)[0] == LACKS
    for none in (PLANES, (1.0, 1.0, 1.0), ()):  # the training images said none either
        assert fault(file, none) == ("", "")


def test_what_is_damaged_inside_is_told_by_reading_it(tmp_path):
    file = volume(tmp_path / "a_0000.nii.gz")
    content = bytearray(file.read_bytes())
    content[12:40] = b"\xff" * 28
    file.write_bytes(content)
    assert fault(file) == ("", "")


def test_what_is_cut_off_is_told_by_reading_it(tmp_path):
    for ending in (".nii", ".nii.gz"):
        file = volume(tmp_path / f"a_0000{ending}")
        file.write_bytes(file.read_bytes()[:30])
        assert fault(file) == ("", "")
