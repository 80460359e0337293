"""Each metric agrees with a second implementation on random masks, planes and volumes."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mask_oracles import auc, average_precision, calibration_error, oracle

from nnunet_vit.evaluation.metrics import own_metrics

pytestmark = pytest.mark.unit

ALMOST = {"rel": 1e-6, "abs": 1e-6}
SETTINGS = {
    "max_examples": 200,
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
OF_MASKS = [m for m in own_metrics().values() if not m.of_probabilities]
OF_PROBABILITIES = {
    "auc": auc,
    "average_precision": average_precision,
    "ece": calibration_error,
}
SHAPES = st.one_of(st.tuples(*[st.integers(2, 14)] * 2), st.tuples(*[st.integers(2, 6)] * 3))


@st.composite
def masks(draw):
    """Return two masks with pixels, and a spacing: noise, boxes, single pixels, whole images."""
    shape = draw(SHAPES)
    spacing = tuple(draw(st.sampled_from([0.5, 1.0, 2.3])) for _ in shape)
    return (*(draw(mask(shape)) for _ in range(2)), spacing)


@st.composite
def mask(draw, shape):
    kind = draw(st.sampled_from(["noise", "box", "pixel", "full"]))
    found = np.zeros(shape, bool)
    if kind == "noise":
        found = draw(arrays(bool, shape))
    elif kind == "box":
        ends = [sorted((draw(st.integers(0, n)), draw(st.integers(0, n)))) for n in shape]
        found[tuple(slice(low, high + 1) for low, high in ends)] = True
    elif kind == "pixel":
        found[tuple(draw(st.integers(0, n - 1)) for n in shape)] = True
    else:
        found[:] = True
    assume(found.any())
    return found


@pytest.mark.parametrize("metric", OF_MASKS, ids=lambda metric: metric.name)
def test_of_masks(metric, class_masks):
    @settings(**SETTINGS)
    @given(masks(), st.sampled_from([0.0, 1.0, 2.0]), st.sampled_from([0.1, 0.5]))
    def agrees(drawn, tolerance, overlap):
        reference, prediction, spacing = drawn
        found = class_masks(reference, prediction, spacing, tolerance=tolerance, overlap=overlap)
        second = oracle(metric.name, reference, prediction, spacing, found.options)
        assert metric.value(found) == pytest.approx(second, nan_ok=True, **ALMOST)

    agrees()


@pytest.mark.parametrize("name", OF_PROBABILITIES)
def test_of_probabilities(name, class_masks):
    @settings(**SETTINGS)
    @given(mask((5, 7)), arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=16)))
    def agrees(truth, probability):
        found = own_metrics()[name].value(class_masks(truth, truth, probability=probability))
        if name != "ece" and truth.all():
            assert math.isnan(found)
        else:
            second = OF_PROBABILITIES[name](truth.ravel(), probability.ravel().astype(float))
            assert found == pytest.approx(second, **ALMOST)

    agrees()


def test_every_metric_has_a_second_implementation():
    names = {metric.name for metric in OF_MASKS} | set(OF_PROBABILITIES)
    assert names == set(own_metrics())
    with pytest.raises(AssertionError):
        oracle("other", np.ones((2, 2), bool), np.ones((2, 2), bool), (1, 1), None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", [(24, 31), (9, 12, 10)])
def test_surfaces_as_monai(shape, class_masks):
    metrics = pytest.importorskip("monai.metrics", reason="MONAI is not installed")
    import torch

    spacing = (3.0, 0.7, 0.7)[-len(shape) :]
    random = np.random.default_rng(0)
    for _ in range(20):
        reference, prediction = random.random((2, *shape)) > random.uniform(0.3, 0.95)
        if not (reference.any() and prediction.any()):
            continue
        pair = [
            torch.from_numpy(np.stack([~one, one])[None].astype(np.float32))
            for one in (prediction, reference)
        ]
        ours = {
            name: own_metrics()[name].value(class_masks(reference, prediction, spacing))
            for name in ("hd", "hd95", "assd", "nsd")
        }
        theirs = {
            "hd": metrics.compute_hausdorff_distance(*pair, spacing=spacing),
            "hd95": metrics.compute_hausdorff_distance(*pair, percentile=95, spacing=spacing),
            "assd": metrics.compute_average_surface_distance(
                *pair, symmetric=True, spacing=spacing
            ),
            "nsd": metrics.compute_surface_dice(*pair, [2.0], spacing=spacing),
        }
        assert ours == pytest.approx({k: float(v) for k, v in theirs.items()}, rel=1e-5)
