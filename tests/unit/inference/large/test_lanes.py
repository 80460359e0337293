"""Wide images are read, predicted and written in lanes, and no array is as wide as they are."""

import numpy as np
import pytest
import tifffile
import torch
from large_images import TIFFS, picture, write_slide, write_tiff, write_zarr
from predicting_model import model_of

from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.large import mask_file, source
from nnunet_vit.inference.large.lanes import lanes_of
from nnunet_vit.inference.large.large_cases import predict_large
from nnunet_vit.inference.large.needed_memory import bytes_of_strips
from nnunet_vit.inference.large.opening import opened
from nnunet_vit.inference.large.tiff_image import TiffImage
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling.window import SlidingWindow
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

TILE = (24, 32)
MOST = 64  # columns of a lane


@pytest.fixture
def narrow(monkeypatch):
    """Lanes are narrow, and few values are looked at together."""
    monkeypatch.setattr(mask_file, "TILE", 16)
    monkeypatch.setattr(source, "MOST_COLUMNS", MOST)
    monkeypatch.setattr(source, "PIECE", 3 * MOST * 16)


@pytest.mark.parametrize("width", [1, 16, 63, 64, 65, 129, 1000, 1001])
@pytest.mark.usefixtures("narrow")
def test_lanes_cover_all_columns(width):
    lanes = lanes_of(width)
    assert [left for left, _ in lanes] == [0, *(right for _, right in lanes[:-1])]
    assert lanes[-1][1] == width
    assert all(left % 16 == 0 and 0 < right - left <= MOST for left, right in lanes)
    assert len(lanes) == -(-width // MOST)


def test_an_image_of_usual_width_is_one_lane():
    assert lanes_of(8192) == [(0, 8192)]
    assert lanes_of(8193) == [(0, 4096), (4096, 8193)]


def files_of(kind, folder):
    """Write an image of three channels and return its files."""
    values = picture((150, 403))
    if kind == "zarr":
        pytest.importorskip("zarr")
        return [write_zarr(folder / "a.zarr", values, chunk=48)]
    if kind == "slide":
        pytest.importorskip("tiffslide")
        write_slide(folder / "a.svs", values)
        return [folder / "a.svs"]
    if kind == "a file per channel":
        return [
            write_tiff(folder / f"a_000{number}.tif", values[..., number], tile=(32, 64))
            for number in range(3)
        ]
    return [write_tiff(folder / "a_0000.tif", values, **TIFFS[kind])]


def predicted(model, files, folder, **options):
    folder.mkdir()
    failed = predict_large(
        Inputs({"a": files}, {}, large=("a",)), folder, model,
        options=PredictionOptions("cpu", **options), progress=Progress(),
    )  # fmt: skip
    assert failed == {}
    return tifffile.imread(folder / "a.tif")


def colour_model(axes=None):
    """Return a model of three channels."""
    model = model_of(".tif", axes=axes)
    model.configuration.configuration["normalization_schemes"] = ["ZScoreNormalization"] * 3
    model.configuration.configuration["use_mask_for_norm"] = [False] * 3
    generator = torch.Generator().manual_seed(5)
    first = model.networks[0][0]
    first.weight.data = torch.randn((8, 3, 5, 5), generator=generator)
    return model


@pytest.mark.parametrize("step", [0.5, 1.0])
@pytest.mark.parametrize("kind", [*TIFFS, "zarr", "slide", "a file per channel"])
def test_every_source_gives_the_same_mask(tmp_path, request, kind, step):
    if kind == "grey":
        pytest.skip("has one channel")
    files, model = files_of(kind, tmp_path), colour_model((0, 1) if step == 1 else None)
    whole = predicted(model, files, tmp_path / "whole", step=step)
    request.getfixturevalue("narrow")
    np.testing.assert_array_equal(predicted(model, files, tmp_path / "lanes", step=step), whole)
    assert len(np.unique(whole)) > 1


@pytest.mark.usefixtures("narrow")
def test_nothing_is_as_wide_as_the_image(tmp_path, monkeypatch):
    """Neither what is read, nor logits, nor the mask's lines."""
    widths = []

    def watched(kind, name, width_of):
        old = getattr(kind, name)

        def new(self, *given):
            for found in old(self, *given) if name == "rows" else [old(self, *given)]:
                widths.append(width_of(found))
                if name == "rows":
                    yield found

        def part(self, *given):
            found = old(self, *given)
            widths.append(width_of(found))
            return found

        monkeypatch.setattr(kind, name, new if name == "rows" else part)

    watched(TiffImage, "part", lambda found: found.shape[2])
    watched(SlidingWindow, "rows", lambda found: found.shape[2])
    files = files_of("tiles", tmp_path)
    predicted(colour_model(), files, tmp_path / "masks")
    assert len(widths) > 20
    assert max(widths) <= MOST + 2 * TILE[1]


def test_memory_is_said_to_grow_up_to_the_width_of_a_lane(tmp_path):
    class Image:
        chunk, wide, bytes, level = 256, 256, 1, ""

        def __init__(self, height, width):
            self.shape = (3, height, width)

    needed = [
        bytes_of_strips(Image(*size), (512, 512), 2, 1)
        for size in [(2000, 2000), (9000, 9000), (12_000, 100_000), (100_000, 100_000)]
    ]
    assert needed[0] < needed[1] < needed[2] == needed[3] < needed[0] + 100_000_000
    files = [write_tiff(tmp_path / "a.tif", picture((60, 80)), tile=(32, 32))]
    assert 0 < bytes_of_strips(opened(files), TILE, 3, 1) < 1_000_000
