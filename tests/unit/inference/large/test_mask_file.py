"""A mask that is written strip by strip is a TIFF that everybody reads, with coarser levels."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.io import imread

from nnunet_vit.inference.large import mask_file
from nnunet_vit.inference.large.mask_file import write_mask

pytestmark = pytest.mark.unit


def mask_of(size, dtype, most=3):
    return np.random.default_rng(0).integers(0, most, size).astype(dtype)


def strips_of(mask, heights):
    top = 0
    while top < len(mask):
        for height in heights:
            yield mask[top : top + height]
            top += height


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(1, 1), (512, 512), (513, 40), (700, 1100), (2049, 1025)])
@pytest.mark.parametrize("heights", [(1, 0, 300), (512,), (5000,)])
def test_what_was_written_is_read(tmp_path, size, dtype, heights):
    mask = mask_of(size, dtype, most=3 if dtype == np.uint8 else 40_000)
    file = tmp_path / "a.tif"
    write_mask(file, [(0, strips_of(mask, heights))], size, np.dtype(dtype))
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]
    with tifffile.TiffFile(file) as tiff:
        assert not tiff.is_bigtiff
        levels = [page.asarray() for page in tiff.pages]
        assert [page.is_reduced for page in tiff.pages] == [False, *[True] * (len(levels) - 1)]
        assert {(page.tilelength, page.compression.name) for page in tiff.pages} == {
            (512, "ADOBE_DEFLATE")
        }
    for number, level in enumerate(levels):
        np.testing.assert_array_equal(level, mask[:: 2**number, :: 2**number])
    assert max(levels[-1].shape) <= 512 and all(max(level.shape) > 512 for level in levels[:-1])
    for read in (imread, tifffile.imread, lambda file: np.asarray(Image.open(file))):
        np.testing.assert_array_equal(read(file), mask)


def test_many_pixels_take_a_bigtiff(tmp_path, monkeypatch):
    monkeypatch.setattr(mask_file, "CLASSIC", 2 * 600 * 700 - 1)
    mask = mask_of((600, 700), np.uint8)
    write_mask(tmp_path / "a.tif", [(0, [mask])], mask.shape, mask.dtype)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        assert tiff.is_bigtiff
    np.testing.assert_array_equal(imread(tmp_path / "a.tif"), mask)


def test_coarser_levels_are_removed_where_strips_fail(tmp_path):
    def strips():
        yield mask_of((600, 700), np.uint8)
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_mask(tmp_path / "a.tif", [(0, strips())], (1200, 700), np.dtype(np.uint8))
    assert {path.name for path in tmp_path.iterdir()} <= {"a.tif"}
