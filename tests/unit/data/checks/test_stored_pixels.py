"""Pictures whose pixels are not what programs show: refused, or said of the model's own format."""

import numpy as np
import pytest
import tifffile
from picture_formats import formats, pixels
from PIL import Image

from nnunet_vit.data.checks.stored_pixels import told_once

pytestmark = pytest.mark.unit
EXIF = Image.Exif()
EXIF[0x0112] = 6
GREY, COLOUR = pixels(), pixels(3)
PAGES = np.stack([GREY, GREY // 2, GREY // 3])
TURNED = "is to be turned (EXIF orientation 6), which some programs do and others do not"
WAYS = {
    "plain.png": (lambda f: Image.fromarray(COLOUR).save(f), ""),
    "turned.png": (lambda f: Image.fromarray(COLOUR).save(f, exif=EXIF), TURNED),
    "turned.jpg": (lambda f: Image.fromarray(COLOUR).save(f, exif=EXIF), TURNED),
    "cmyk.jpg": (
        lambda f: Image.fromarray(COLOUR).convert("CMYK").save(f),
        "stores its colours as CMYK",
    ),
    "plain.tif": (lambda f: tifffile.imwrite(f, COLOUR, photometric="rgb"), ""),
    "planes.tif": (
        lambda f: tifffile.imwrite(
            f, COLOUR.transpose(2, 0, 1).copy(), photometric="rgb", planarconfig="separate"
        ),
        "",
    ),
    "jpeg.tif": (lambda f: Image.fromarray(COLOUR).save(f, compression="jpeg"), ""),
    "turned.tif": (
        lambda f: tifffile.imwrite(f, COLOUR, photometric="rgb", extratags=[(274, 3, 1, 6, True)]),
        "is to be turned (orientation 6), which some programs do and others do not",
    ),
    "negative.tif": (
        lambda f: tifffile.imwrite(f, GREY, photometric="miniswhite"),
        "stores white as 0: its pixels are those of the negative",
    ),
    "palette.tif": (
        lambda f: Image.fromarray(COLOUR).convert("P").save(f),
        "has a palette: what is read are numbers of colours, not grey",
    ),
    "lab.tif": (
        lambda f: Image.fromarray(COLOUR).convert("LAB").save(f),
        "stores its colours as CIELAB",
    ),
    "pages.tif": (
        lambda f: tifffile.imwrite(f, PAGES, photometric="minisblack"),
        "holds 3 grey pages, which are read as channels",
    ),
    "broken.tif": (lambda f: f.write_bytes(b"II*\0" + bytes(9)), ""),
}


@pytest.fixture(params=WAYS)
def picture(request, tmp_path):
    write, problem = WAYS[request.param]
    write(tmp_path / request.param)
    return tmp_path / request.param, problem


def test_another_format_is_refused(picture):
    file, problem = picture
    own = formats(ending=".bmp")
    fault = own.fault(file, "")
    assert (fault.problem if fault else "") == problem
    assert fault is None or fault.remedy


def test_the_own_format_is_told_once(picture):
    file, problem = picture
    assert formats(ending=file.suffix).fault(file, "") is None
    expected = f"Read as stored, as training images are: {file.name} {problem}."
    assert list(told_once([file], file.suffix)) == ([expected] if problem else [])
    assert list(told_once([file], ".bmp")) == []


def test_many_are_told_in_one_line(tmp_path):
    files = [tmp_path / f"{n}.tif" for n in range(5)]
    for file in files:
        tifffile.imwrite(file, GREY, photometric="miniswhite")
    (line,) = told_once(files, ".tif")
    assert "0.tif, 1.tif, 2.tif, … (5 in all) each stores white as 0" in line


@pytest.mark.parametrize(
    ("axes", "channels", "problem"),
    [
        ("ZYX", ("R", "G", "B"), "holds 3 grey slices, which would be read as colours"),
        ("TYX", ("red", "green", "blue"), "holds 3 grey times, which would be read as colours"),
        ("CYX", ("R", "G", "B"), None),
        ("ZYX", ("below", "slice", "above"), "holds 3 grey pages, which are read as channels"),
    ],
)
def test_slices_are_no_colours(tmp_path, axes, channels, problem):
    file = tmp_path / "a_0000.tif"
    tifffile.imwrite(file, PAGES, imagej=True, metadata={"axes": axes})
    own = formats(ending=".tif")
    fault = type(own)(own.own, ".png", own.spacing, channels).fault(file, "")
    assert (fault.problem if fault else None) == problem
    assert type(own)(own.own, ".tif", own.spacing, channels).fault(file, "") is None
