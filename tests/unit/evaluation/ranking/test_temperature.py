"""One temperature: recovered where it is known, and it moves no mask."""

import numpy as np
import pytest
from validated_runs import softmax

from nnunet_vit.evaluation.ranking.temperature import fitted, sample, scaled

pytestmark = pytest.mark.unit

RANDOM = np.random.default_rng(3)
LOGITS = RANDOM.normal(0, 3, (3, 40_000))


def sigmoid(logits):
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


@pytest.mark.parametrize("planted", [0.4, 1.0, 2.5])
def test_a_planted_temperature_of_classes(planted):
    honest = softmax(LOGITS / planted)
    drawn = (RANDOM.random(40_000) > honest.cumsum(axis=0)).sum(axis=0).clip(max=2)
    truth = np.stack([drawn == label for label in range(3)])
    found = fitted(softmax(LOGITS), truth, regions=False)
    assert found.temperature == pytest.approx(planted, rel=0.05)
    assert found.ece_after < 0.01
    assert found.pixels == 40_000
    assert found.nll_after <= found.nll_before
    expected = -np.log(softmax(LOGITS)[truth]).mean()
    assert found.nll_before == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("planted", [0.4, 2.5])
def test_a_planted_temperature_of_regions(planted):
    truth = RANDOM.random(LOGITS.shape) < sigmoid(LOGITS / planted)
    found = fitted(sigmoid(LOGITS), truth, regions=True)
    assert found.temperature == pytest.approx(planted, rel=0.05)
    assert found.ece_after < 0.01 < found.ece_before


@pytest.mark.parametrize("temperature", [0.1, 0.7, 3.0])
def test_masks_stay(temperature):
    classes, regions = softmax(LOGITS), sigmoid(LOGITS)
    found = scaled(classes, temperature, regions=False)
    assert np.array_equal(found.argmax(axis=0), classes.argmax(axis=0))
    assert np.allclose(found, softmax(LOGITS / temperature), atol=2e-4)
    of_regions = scaled(regions, temperature, regions=True)
    assert np.array_equal(of_regions > 0.5, regions > 0.5)
    assert np.allclose(of_regions, sigmoid(LOGITS / temperature), atol=2e-3)


def test_probabilities_of_0_and_1_stay_finite():
    sure = np.array([[1.0, 0.0], [0.0, 1.0]], np.float16)
    for regions in (False, True):
        found = scaled(sure, 0.05, regions=regions)
        assert np.isfinite(found).all()
        assert np.allclose(found, sure, atol=1e-6)
        wrong = fitted(sure.astype(np.float32), sure == 0, regions=regions)
        assert wrong.temperature > 10
        assert np.isfinite(wrong.nll_before)


def test_pixels_are_drawn_once_and_the_same_again():
    pixels = np.arange(1000) * 2
    drawn = sample(pixels, 300, (0, 5))
    assert len(set(drawn.tolist())) == 300
    assert set(drawn.tolist()) <= set(pixels.tolist())
    assert np.array_equal(drawn, sample(pixels, 300, (0, 5)))
    assert not np.array_equal(drawn, sample(pixels, 300, (0, 6)))
    assert sample(pixels, 2000, (0, 5)) is pixels


@pytest.mark.parametrize("regions", [False, True])
def test_sure_and_right_everywhere_is_no_negative_0(regions):
    sure = np.stack([np.ones(50), np.zeros(50)])
    found = fitted(sure, sure == 1, regions=regions)
    assert "-0.0" not in found.as_text()
    assert "-0.0" not in str(found.as_json())
