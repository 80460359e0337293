"""Mean, spread and borders of an image by strips are those of the whole image."""

import numpy as np
import pytest
from large_images import write_tiff
from predicting_model import model_of

from nnunet_vit.errors import DataError
from nnunet_vit.inference.large import source, whole_look
from nnunet_vit.inference.large.normalizing import changes_of
from nnunet_vit.inference.large.opening import opened
from nnunet_vit.inference.large.source import Strips
from nnunet_vit.inference.large.whole_look import look_through

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(source, "PIECE", 2000)
    monkeypatch.setattr(whole_look, "TOGETHER", 700)


def look_at(tmp_path, values, masked=False):
    planar = "contig" if values.ndim == 3 else None
    file = write_tiff(tmp_path / "a_0000.tif", values, planarconfig=planar, tile=(32, 48))
    done = [0]
    with Strips(opened([file]), str(file)) as strips:
        found = look_through(strips, [masked] * strips.source.shape[0], done)
    assert done == [len(values)]
    return found


@pytest.mark.parametrize(("dtype", "away"), [("uint8", 0), ("uint16", 9000), ("float32", 1e6)])
@pytest.mark.parametrize("cropped", [False, True])
def test_numbers(tmp_path, dtype, away, cropped):
    random = np.random.default_rng(0)
    values = (random.random((201, 133, 2)) * 200 + away + 1).astype(dtype)
    if cropped:
        values[:41], values[-17:], values[:, :9], values[:, -30:] = 0, 0, 0, 0
    look = look_at(tmp_path, values)
    assert (look.down, look.across) == (((41, 184), (9, 103)) if cropped else ((0, 201), (0, 133)))
    inner = values[slice(*look.down), slice(*look.across)].astype(np.float64)
    assert look.size == inner.shape[:2]
    for channel, numbers in enumerate(look.channels):
        own = inner[..., channel]
        assert numbers.count == own.size
        assert (numbers.low, numbers.high) == (own.min(), own.max())
        np.testing.assert_allclose(numbers.mean, own.mean(), rtol=1e-12)
        np.testing.assert_allclose(numbers.deviation, own.std(), rtol=1e-9)


@pytest.mark.parametrize("masked", [False, True])
def test_zeros_within_the_borders(tmp_path, masked):
    values = np.zeros((90, 70, 2), np.uint8)
    values[10:60, 20:50, 1] = np.arange(1, 51)[:, None]
    values[30:33, 30:35] = 0
    look = look_at(tmp_path, values, masked)
    assert (look.down, look.across) == ((10, 60), (20, 50))
    inner = values[10:60, 20:50]
    counted = inner[inner.any(axis=-1)] if masked else inner.reshape(-1, 2)
    for numbers, own in zip(look.channels, counted.T, strict=True):
        assert numbers.count == own.size == (1485 if masked else 1500)
        np.testing.assert_allclose([numbers.mean, numbers.deviation], [own.mean(), own.std()])


@pytest.mark.parametrize(("masked", "count"), [(False, 6300), (True, 0)])
def test_nothing_but_0_is_not_cropped(tmp_path, masked, count):
    look = look_at(tmp_path, np.zeros((90, 70), np.uint8), masked)
    assert (look.down, look.across) == ((0, 90), (0, 70))
    assert (look.channels[0].count, look.channels[0].deviation) == (count, 0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite(tmp_path, value):
    values = np.ones((90, 70), np.float32)
    values[80, 3] = value
    with pytest.raises(DataError, match=r"a_0000.tif holds values that are not finite \(NaN\)"):
        look_at(tmp_path, values)


@pytest.mark.parametrize("value", [256, -1])
def test_values_that_are_not_those_of_8_bits(tmp_path, value):
    values = np.full((90, 70), 3, np.int16)
    values[5, 5] = value
    model = model_of(".tif")
    model.configuration.configuration["normalization_schemes"] = ["RGBTo01Normalization"]
    look = look_at(tmp_path, values)
    with pytest.raises(DataError, match=r"^a.tif holds values from .* holds 0 to 255. Fix: save"):
        changes_of(model, look, "a.tif")
