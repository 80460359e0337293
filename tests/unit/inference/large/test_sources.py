"""Strips of every kind of large image are what the whole image holds there."""

import itertools
import re

import numpy as np
import pytest
import tifffile
from large_images import TIFFS, picture, write_slide, write_tiff, write_zarr

from nnunet_vit.errors import DataError, MachineError
from nnunet_vit.inference.large import slide_image, tiff_image
from nnunet_vit.inference.large.opening import opened
from nnunet_vit.inference.large.source import Strips

pytestmark = pytest.mark.unit

PARTS = [(0, 301), (0, 10), (63, 65), (100, 300), (300, 301), (64, 128)]
ACROSS = [(0, 203), (0, 10), (47, 49), (100, 200), (202, 203), (48, 96)]
DOWN = [(0, 64), (32, 96), (64, 128), (64, 128), (117, 181), (237, 301)]


def check(files, whole, chunk=None):
    """Compare strips with the image (C, Y, X), in any order and from top to bottom."""
    source = opened(files)
    assert source.shape == whole.shape
    assert source.bytes == whole.dtype.itemsize
    assert chunk in (None, source.chunk)
    for down, across in itertools.product(PARTS, ACROSS):
        found = source.part(down, across)
        assert found.dtype == whole.dtype
        np.testing.assert_array_equal(found, whole[:, slice(*down), slice(*across)])
    with Strips(source, "it") as every:
        for across in ACROSS:
            strips = every.within(across)
            for top, bottom in DOWN:
                found = strips.lines(top, bottom)
                np.testing.assert_array_equal(found, whole[:, top:bottom, slice(*across)])
        joined = np.zeros_like(whole)
        for top, left, part in every.all():
            joined[:, top : top + part.shape[1], left : left + part.shape[2]] += part
        np.testing.assert_array_equal(joined, whole)


@pytest.mark.parametrize("kind", TIFFS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_tiffs(tmp_path, kind, dtype):
    if kind == "JPEG" and dtype != "uint8":
        pytest.skip("JPEG holds 8 bits")
    values = picture((301, 203), 1 if kind == "grey" else 3, dtype)
    file = write_tiff(tmp_path / "a_0000.tif", values, **TIFFS[kind])
    if kind == "JPEG":
        values = tifffile.imread(file)
    check([file], np.atleast_3d(values).transpose(2, 0, 1))


def test_lines_without_compression_are_read_one_by_one(tmp_path):
    file = write_tiff(tmp_path / "a.tif", picture((301, 203)), photometric="rgb")
    assert opened([file]).chunk == 1


def test_a_file_per_channel(tmp_path):
    values = picture((301, 203), 2)
    files = [
        write_tiff(tmp_path / f"a_000{channel}.tif", values[..., channel], tile=(32, 64))
        for channel in range(2)
    ]
    check(files, values.transpose(2, 0, 1), chunk=32)


def test_a_pyramid_of_which_the_finest_level_counts(tmp_path):
    values = picture((301, 203))
    file = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(file) as tiff:
        tiff.write(values, subifds=1, photometric="rgb", tile=(64, 64))
        tiff.write(values[::2, ::2], subfiletype=1, photometric="rgb", tile=(64, 64))
    check([file], values.transpose(2, 0, 1), chunk=64)
    assert opened([file]).level == "the finest of 2 levels"


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr(tmp_path, version):
    zarr = pytest.importorskip("zarr")
    if version == "0.5" and not hasattr(zarr, "create_array"):
        pytest.skip("zarr 2 knows NGFF 0.4 alone")
    values = picture((301, 203), dtype="uint16")
    folder = write_zarr(tmp_path / "a.ome.zarr", values, version=version)
    check([folder], values.transpose(2, 0, 1), chunk=128)
    assert opened([folder]).level == "the finest of 2 levels"


def test_a_whole_slide(tmp_path):
    pytest.importorskip("tiffslide")
    file = tmp_path / "a.svs"
    values = write_slide(file, picture((301, 403)))
    check([file], values.transpose(2, 0, 1), chunk=240)
    assert opened([file]).level == "the finest of 2 levels, 0.499 µm per pixel"


@pytest.mark.parametrize(
    ("name", "packages"),
    [("a.svs", "'nnunet-vit[slides]'"), ("a.mrxs", "openslide-python openslide-bin")],
)
def test_a_slide_that_nothing_reads(tmp_path, monkeypatch, name, packages):
    monkeypatch.setattr(slide_image, "READERS", (("not_there", "X"), ("neither", "Y")))
    with pytest.raises(MachineError, match=re.escape(f"Fix: pip install {packages}") + "$"):
        opened([tmp_path / name])


@pytest.mark.parametrize(
    ("shape", "axes", "told"),
    [((3, 40, 50), "ZYX", r"has the axes ZYX \(3 x 40 x 50\); needed: one picture"),
     ((2, 40, 50, 3), "TYXS", r"has the axes TYXS \(2 x 40 x 50 x 3\)")],
)  # fmt: skip
def test_no_single_picture(tmp_path, shape, axes, told):
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, np.zeros(shape, np.uint8), ome=True, metadata={"axes": axes})
    with pytest.raises(DataError, match=told):
        opened([file])


def test_a_file_that_is_cut_off(tmp_path):
    file = write_tiff(tmp_path / "a.tif", picture((301, 203)), **TIFFS["tiles"])
    file.write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(DataError, match=r"a.tif is cut off: it ends before its pixels do"):
        opened([file])


def test_a_piece_that_is_damaged(tmp_path):
    file = write_tiff(tmp_path / "a.tif", picture((301, 203)), **TIFFS["compressed tiles"])
    content = bytearray(file.read_bytes())
    with tifffile.TiffFile(file) as tiff:
        at = tiff.pages[0].dataoffsets[9]
    content[at : at + 40] = b"\xff" * 40
    file.write_bytes(content)
    with (
        Strips(opened([file]), str(file)) as strips,
        pytest.raises(DataError, match=r"a.tif cannot be read to its end: .* Fix: copy it again"),
    ):
        list(strips.all())


def test_no_tiff_at_all(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0nothing")
    with pytest.raises(DataError, match=r"a.tif cannot be read: it holds no picture. Fix: copy"):
        opened([tmp_path / "a.tif"])


def test_one_compressed_piece_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff_image, "MOST", 100_000)
    whole = {"photometric": "rgb", "rowsperstrip": 301, "compression": "zlib"}
    file = write_tiff(tmp_path / "a.tif", picture((301, 203)), **whole)
    with pytest.raises(DataError, match=r"pieces of 0.2 MB, which .* Fix: make a tiled TIFF"):
        opened([file])
