"""Files that were cut off, damaged or renamed are seen, also where their reader sees nothing."""

import gzip

import numpy as np
import pytest

from nnunet_vit.files.integrity import flaw_of, is_jpeg

pytestmark = pytest.mark.unit

VOLUMES = [".nii", ".nii.gz", ".nrrd", ".mha", ".gipl"]


@pytest.fixture
def volume(tmp_path):
    import SimpleITK

    values = np.random.default_rng(0).integers(0, 200, (6, 20, 24)).astype(np.int16)

    def write(ending, compressed=True):
        file = tmp_path / f"v{ending}"
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(file), compressed)
        return file

    return write


@pytest.fixture
def picture(tmp_path):
    from PIL import Image

    values = np.random.default_rng(0).integers(0, 255, (20, 24, 3)).astype(np.uint8)

    def write(name, **options):
        Image.fromarray(values).save(tmp_path / name, **options)
        return tmp_path / name

    return write


@pytest.mark.parametrize("ending", VOLUMES)
@pytest.mark.parametrize("compressed", [True, False])
def test_sound_volumes(volume, ending, compressed):
    assert flaw_of(volume(ending, compressed), ending) == ("", "")


@pytest.mark.parametrize("ending", [".png", ".bmp", ".tif"])
def test_sound_pictures(picture, ending):
    assert flaw_of(picture(f"p{ending}"), ending) == ("", "")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".mha", ".gipl"])
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_volume_that_was_cut_off_is_not_read_as_zeros(volume, ending, share):
    file = volume(ending, compressed=ending != ".mha")
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    problem, remedy = flaw_of(file, ending)
    assert problem.startswith(("is cut off", "is damaged")), problem
    assert remedy == "copy it again"


def test_a_gzip_file_that_is_complete_around_a_volume_that_is_not(volume):
    file = volume(".nii.gz")
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes())[:2000]))
    assert flaw_of(file, ".nii.gz")[0] == "is cut off: 2000 of 6112 bytes"


def test_a_volume_without_gzip_is_read_all_the_same(volume):
    file = volume(".nii.gz")
    file.write_bytes(gzip.decompress(file.read_bytes()))
    assert flaw_of(file, ".nii.gz") == ("", "")


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_a_png_that_was_cut_off(picture, share):
    file = picture("p.png")
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    assert flaw_of(file, ".png")[0] == "is cut off: the file ends before the picture does"


def test_a_flipped_bit_in_a_png(picture):
    file = picture("p.png", compress_level=0)
    content = bytearray(file.read_bytes())
    content[500] ^= 1
    file.write_bytes(content)
    assert flaw_of(file, ".png")[0] == "is damaged: wrong check sum in its part IDAT"


def test_a_flipped_bit_in_a_gzip_file(volume):
    file = volume(".nii.gz")
    content = bytearray(file.read_bytes())
    content[-6] ^= 1  # of the check sum
    file.write_bytes(content)
    assert flaw_of(file, ".nii.gz")[0].startswith("is damaged: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty, 0 bytes"),
        (b"<!DOCTYPE html><html>", "is text (a web page?), not an image"),
        (b"version x://git-lfs.example.org/spec/v1", "is a pointer of Git LFS"),
        (b"%PDF-1.4", "is a PDF, not what its ending ENDING says"),
        (b"\0" * 600, "does not begin as a ENDING file does"),
    ],
)
@pytest.mark.parametrize("ending", [".png", ".nii.gz"])
def test_other_things_by_that_name(tmp_path, content, problem, ending):
    file = tmp_path / f"x{ending}"
    file.write_bytes(content)
    expected = problem.replace("ENDING", ending)
    assert flaw_of(file, ending)[0].startswith(expected)


def test_a_folder_and_a_link_to_nothing(tmp_path):
    (tmp_path / "a.png").mkdir()
    (tmp_path / "b.png").symlink_to(tmp_path / "none")
    assert flaw_of(tmp_path / "a.png", ".png")[0] == "is a folder, not a file"
    assert flaw_of(tmp_path / "b.png", ".png")[0] == "is a link to nothing"


def test_a_jpeg_by_another_name_is_a_picture_all_the_same(picture):
    file = picture("p.jpg").rename(picture("p.png"))
    assert flaw_of(file, ".png") == ("", "")
    assert is_jpeg(file)
