"""Pictures of Pillow and tifffile: each pixel is in the dataset as it was."""

import numpy as np
import pytest
import tifffile
from imported_datasets import description_of, drawn, folders, imported_folders, seen, squares
from PIL import Image

from nnunet_vit.data.importing.reading.any_pixels import Reading
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit
SIZE = (16, 20)


def with_masks(tmp_path, ending: str, save) -> None:
    """Two cases whose images `save(file, number)` writes."""
    images, masks = folders(tmp_path)
    for number in (0, 1):
        save(images / f"case{number}{ending}", number)
        Image.fromarray(squares(number, SIZE) * 255).save(masks / f"case{number}.png")


def channels_of(dataset, case: str) -> np.ndarray:
    ending = description_of(dataset)["file_ending"]
    files = sorted((dataset / "imagesTr").glob(f"{case}_*{ending}"))
    return np.concatenate([seen(dataset, f"imagesTr/{file.name}").values for file in files])[:, 0]


@pytest.mark.parametrize("ending", [".png", ".bmp", ".ppm", ".tif", ".PNG", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pillow_8_bit(tmp_path, ending, channels):
    shape = SIZE if channels == 1 else (*SIZE, 3)
    ending = ".pgm" if ending == ".ppm" and channels == 1 else ending
    with_masks(
        tmp_path, ending, lambda file, number: Image.fromarray(drawn(number, shape)).save(file)
    )
    dataset = imported_folders(tmp_path)
    truth = drawn(1, shape)
    expected = truth[None] if channels == 1 else np.moveaxis(truth, -1, 0)
    assert (channels_of(dataset, "case1") == expected).all()
    assert (seen(dataset, "labelsTr/case1.png").values[0, 0] == squares(1, SIZE)).all()
    assert description_of(dataset)["labels"] == {"background": 0, "foreground": 1}


def test_jpeg_is_kept_as_pillow_decodes_it(tmp_path):
    with_masks(tmp_path, ".jpg", lambda file, n: Image.fromarray(drawn(n, (*SIZE, 3))).save(file))
    dataset = imported_folders(tmp_path)
    expected = np.asarray(Image.open(tmp_path / "images" / "case0.jpg"))
    assert (channels_of(dataset, "case0") == np.moveaxis(expected, -1, 0)).all()


def test_gif_colours(tmp_path):
    def save(file, number):
        picture = Image.fromarray(drawn(number, SIZE, highest=50)).convert("P")
        picture.putpalette([value for n in range(256) for value in (n, 255 - n, 7)])
        picture.save(file)

    with_masks(tmp_path, ".gif", save)
    dataset = imported_folders(tmp_path)
    truth = drawn(0, SIZE, highest=50)
    assert (channels_of(dataset, "case0") == np.stack([truth, 255 - truth, truth * 0 + 7])).all()


@pytest.mark.parametrize(
    ("kind", "shape", "ending"),
    [
        ("uint16", SIZE, ".png"),
        ("uint16", (*SIZE, 3), ".png"),
        ("uint8", (*SIZE, 5), ".png"),
        ("float32", SIZE, ".tif"),
        ("int16", SIZE, ".tif"),
    ],
)
def test_tifffile(tmp_path, kind, shape, ending):
    def save(file, number):
        values = drawn(number, shape, kind, 60000 if kind == "uint16" else 200)
        values = values + 0.25 if kind == "float32" else values
        colours = "rgb" if shape[-1] == 3 else "minisblack"
        tifffile.imwrite(file, values.astype(kind), photometric=colours, planarconfig="contig")

    with_masks(tmp_path, ".tif", save)
    dataset = imported_folders(tmp_path)
    truth = tifffile.imread(tmp_path / "images" / "case1.tif")
    expected = truth[None] if truth.ndim == 2 else np.moveaxis(truth, -1, 0)
    assert description_of(dataset)["file_ending"] == ending
    assert (channels_of(dataset, "case1") == expected).all()
    assert len(description_of(dataset)["channel_names"]) == len(expected)


@pytest.mark.parametrize("factor", [1, 257])
def test_tiff_palette_of_8_or_16_bits(tmp_path, factor):
    table = np.array([np.arange(256), 255 - np.arange(256), np.full(256, 7)])

    def save(file, number):
        colours = (table * factor).astype("uint16")
        tifffile.imwrite(file, drawn(number, SIZE), photometric="palette", colormap=colours)

    with_masks(tmp_path, ".tif", save)
    assert (channels_of(imported_folders(tmp_path), "case1") == table[:, drawn(1, SIZE)]).all()


def test_tiff_of_inks_is_refused(tmp_path):
    with_masks(
        tmp_path, ".tif",
        lambda file, n: Image.fromarray(drawn(n, (*SIZE, 4)), mode="CMYK").save(file),
    )  # fmt: skip
    with pytest.raises(DataError, match=r"case0.tif, case1.tif: each .*CMYK or other inks"):
        imported_folders(tmp_path)


def test_png_of_16_bit_colours_keeps_all_bits(tmp_path):
    import SimpleITK

    def save(file, number):
        values = drawn(number, (*SIZE, 3), "uint16", 60000)
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values, isVector=True), str(file))

    with_masks(tmp_path, ".png", save)
    dataset = imported_folders(tmp_path)
    expected = np.moveaxis(drawn(1, (*SIZE, 3), "uint16", 60000), -1, 0)
    assert (channels_of(dataset, "case1") == expected).all()


@pytest.mark.parametrize("highest", [100, 4095])
def test_pgm_is_not_spread_over_its_range(tmp_path, highest):
    def save(file, number):
        stored = drawn(number, SIZE, ">u2" if highest > 255 else "u1", highest)
        file.write_bytes(b"P5 # a comment\n20 16\n%d\n" % highest + stored.tobytes())

    with_masks(tmp_path, ".pgm", save)
    dataset = imported_folders(tmp_path)
    assert (channels_of(dataset, "case0")[0] == drawn(0, SIZE, "int64", highest)).all()


def test_pages_are_slices_or_channels_on_request(tmp_path):
    images, masks = folders(tmp_path)
    for number in (0, 1):
        tifffile.imwrite(images / f"v{number}.tif", drawn(number, (5, *SIZE), "uint16", 999))
        tifffile.imwrite(masks / f"v{number}.tif", squares(number, (5, *SIZE)))
    with pytest.raises(DataError, match=r"holds 5 pages.*--pages slices") as caught:
        imported_folders(tmp_path)
    assert "v0.tif, v1.tif" in str(caught.value)
    with pytest.raises(DataError, match="--spacing"):
        imported_folders(tmp_path, reading=Reading("slices"))
    dataset = imported_folders(tmp_path, reading=Reading("slices", (2.5, 0.7, 0.3)))
    raster = seen(dataset, "imagesTr/v1_0000.nrrd")
    assert (raster.values[0] == drawn(1, (5, *SIZE), "uint16", 999)).all()
    assert raster.spacing == (2.5, 0.7, 0.3)
    assert (seen(dataset, "labelsTr/v1.nrrd").values[0] == squares(1, (5, *SIZE))).all()


def test_pages_as_channels(tmp_path):
    def save(file, number):
        tifffile.imwrite(file, drawn(number, (4, *SIZE)), photometric="minisblack")

    with_masks(tmp_path, ".tif", save)
    dataset = imported_folders(tmp_path, reading=Reading("channels"))
    assert (channels_of(dataset, "case1") == drawn(1, (4, *SIZE))).all()


def test_opaque_alpha_goes_and_transparency_is_refused(tmp_path):
    def save(file, number):
        values = drawn(number, (*SIZE, 4))
        values[..., 3] = 255
        Image.fromarray(values).save(file)

    with_masks(tmp_path, ".png", save)
    dataset = imported_folders(tmp_path)
    assert (channels_of(dataset, "case0") == np.moveaxis(drawn(0, (*SIZE, 4)), -1, 0)[:3]).all()
    Image.fromarray(drawn(0, (*SIZE, 4))).save(tmp_path / "images" / "case0.png")
    (tmp_path / "raw").rename(tmp_path / "before")
    with pytest.raises(DataError, match=r"case0.png has transparency"):
        imported_folders(tmp_path)
    assert not (tmp_path / "raw").exists()


def test_plain_pngs_are_copied_or_linked(tmp_path):
    with_masks(tmp_path, ".png", lambda f, n: Image.fromarray(drawn(n, (*SIZE, 3))).save(f))
    dataset = imported_folders(tmp_path, link=True)
    own = dataset / "imagesTr" / "case0_0000.png"
    assert own.is_symlink()
    assert own.read_bytes() == (tmp_path / "images" / "case0.png").read_bytes()
    assert not (dataset / "labelsTr" / "case0.png").is_symlink()  # 255 became 1
