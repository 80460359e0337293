"""Masks of images that are read in strips are those of the same images read whole."""

import numpy as np
import pytest
import tifffile
from large_images import picture, write_tiff
from predicting_model import IGNORING, LABELS, REGIONS, model_of

from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.large import mask_file, source
from nnunet_vit.inference.large.large_cases import predict_large
from nnunet_vit.inference.predict import run
from nnunet_vit.inference.predicting import pipeline
from nnunet_vit.inference.predicting.pipeline import predict_cases
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.inference.tiling.forward import Forward
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

# several rows of tiles, one more pixel than tiles, one tile, smaller than a tile in one or two axes
SIZES = [(301, 203), (61, 80), (25, 33), (24, 32), (10, 90), (90, 10), (7, 9)]


@pytest.fixture(params=[8192, 48], ids=["one lane", "lanes"], autouse=True)
def lanes(request, monkeypatch):
    """Images are predicted whole, or in lanes whose borders lie at multiples of 16 columns."""
    if request.param < 8192:
        monkeypatch.setattr(mask_file, "TILE", 16)
        monkeypatch.setattr(source, "MOST_COLUMNS", request.param)
    return request.param


def compare(model, sizes, tmp_path, *, change=lambda values: values, **options):
    """Predict both ways and compare every pixel."""
    files = {}
    for number, size in enumerate(sizes):
        values = change(picture(size, 1, seed=number))
        file = write_tiff(tmp_path / f"case_{number}_0000.tif", values, tile=(64, 48))
        files[f"case_{number}"] = [file]
    chosen = PredictionOptions("cpu", **options)
    folders = [tmp_path / name for name in ("whole", "strips")]
    for folder in folders:
        folder.mkdir()
    for case, own in files.items():  # one by one: batches are the same in both
        inputs = Inputs({case: own}, {}, large=(case,))
        predict_cases(inputs, folders[0], model, options=chosen, progress=Progress())
        predict_large(inputs, folders[1], model, options=chosen, progress=Progress())
        whole, strips = (tifffile.imread(folder / f"{case}.tif") for folder in folders)
        assert whole.dtype == strips.dtype
        np.testing.assert_array_equal(whole, strips)
        assert len(np.unique(whole)) > 1


@pytest.mark.parametrize("labels", [LABELS, REGIONS, IGNORING], ids=["labels", "regions", "ignore"])
@pytest.mark.parametrize(("folds", "axes"), [(1, None), (3, (0, 1))])
def test_every_pixel(tmp_path, labels, folds, axes):
    compare(model_of(".tif", labels, folds=folds, axes=axes), SIZES, tmp_path)


@pytest.mark.parametrize("step", [0.13, 0.9, 1.0])
def test_any_overlap_of_tiles(tmp_path, step):
    compare(model_of(".tif"), [(101, 83), SIZES[1]], tmp_path, step=step)


def bordered(values):
    """Return an image with lines and columns of 0 around it, and a hole of 0 in it."""
    values[:41], values[-17:], values[:, :9], values[:, -30:] = 0, 0, 0, 0
    values[60:70, 60:70] = 0
    return values


def test_a_border_of_0_is_cropped(tmp_path):
    compare(model_of(".tif"), [(301, 203), (100, 120)], tmp_path, change=bordered)


def test_nothing_but_0(tmp_path):
    model = model_of(".tif")
    model.networks[0][2].bias.data[:] = 0
    files = [write_tiff(tmp_path / "a_0000.tif", np.zeros((70, 90), np.uint8), tile=(32, 32))]
    for name, predict in (("whole", predict_cases), ("strips", predict_large)):
        (tmp_path / name).mkdir()
        predict(
            Inputs({"a": files}, {}, large=("a",)), tmp_path / name, model,
            options=PredictionOptions("cpu"), progress=Progress(),
        )  # fmt: skip
    whole, strips = (tifffile.imread(tmp_path / name / "a.tif") for name in ("whole", "strips"))
    np.testing.assert_array_equal(whole, strips)


@pytest.mark.parametrize(
    "scheme", ["CTNormalization", "NoNormalization", "RGBTo01Normalization",
               "RescaleTo01Normalization", "ZScoreNormalization"],
)  # fmt: skip
@pytest.mark.parametrize("change", [lambda values: values, bordered], ids=["whole", "bordered"])
@pytest.mark.parametrize("masked", [False, True])
def test_every_normalization(tmp_path, scheme, change, masked):
    model = model_of(".tif")
    model.configuration.configuration["use_mask_for_norm"] = [masked]
    model.configuration.configuration["normalization_schemes"] = [scheme]
    model.plans.plans["foreground_intensity_properties_per_channel"] = {
        "0": {"mean": 100.0, "std": 40.0, "percentile_00_5": 30.0, "percentile_99_5": 220.0}
    }
    compare(model, [(150, 203)], tmp_path, change=change)


def test_small_and_large_images_are_predicted_by_one_window(tmp_path, monkeypatch):
    made = []

    class Counted(Forward):
        def __init__(self, *given):
            made.append(self)
            super().__init__(*given)

    monkeypatch.setattr(pipeline, "Forward", Counted)
    names = ["a", "b"]
    files = {
        name: [write_tiff(tmp_path / f"{name}_0000.tif", picture((61, 80), 1), tile=(64, 48))]
        for name in names
    }
    inputs = Inputs(files, {}, large=("b",))
    failed = run(
        model_of(".tif", folds=2), inputs, tmp_path,
        options=PredictionOptions("cpu"), progress=Progress(),
    )  # fmt: skip
    assert failed == {}
    assert len(made) == 1  # another one would find the networks already remembering features
    whole, strips = (tifffile.imread(tmp_path / f"{name}.tif") for name in names)
    np.testing.assert_array_equal(whole, strips)
