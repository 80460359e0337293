"""Known values, empty masks, pixels that do not count, and which metrics a word means."""

import math

import numpy as np
import pytest

from nnunet_vit.errors import ConfigError
from nnunet_vit.evaluation.metric import KINDS
from nnunet_vit.evaluation.metrics import chosen_metrics, own_metrics
from nnunet_vit.evaluation.metrics.centreline_dice import skeleton_of

pytestmark = pytest.mark.unit

METRICS = own_metrics()


def square(low, high, size=20):
    found = np.zeros((size, size), bool)
    found[low:high, low:high] = True
    return found


NOTHING, SQUARE = np.zeros((20, 20), bool), square(4, 10)
BEST = {name: 0.0 if metric.lower_is_better else 1.0 for name, metric in METRICS.items()}


@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if not m.of_probabilities])
def test_equal_masks_are_best(name, class_masks):
    assert METRICS[name].value(class_masks(SQUARE, SQUARE)) == BEST[name]


def test_a_shifted_square(class_masks):
    masks = class_masks(SQUARE, np.roll(SQUARE, 3, axis=1), (0.5, 2.0), tolerance=2.0)
    values = {name: METRICS[name].value(masks) for name in ("dice", "hd", "nsd", "volume_error")}
    assert values == {"dice": 0.5, "hd": 6.0, "nsd": pytest.approx(0.6), "volume_error": 0.0}


@pytest.mark.parametrize(
    ("reference", "prediction", "expected"),
    [
        (NOTHING, NOTHING, {"dice": math.nan, "hd95": math.nan, "volume_error": math.nan}),
        (SQUARE, NOTHING, {"dice": 0, "hd95": math.hypot(20, 60), "volume_error": 1}),
        (NOTHING, SQUARE, {"dice": 0, "hd95": math.hypot(20, 60), "volume_error": math.nan}),
        (SQUARE, NOTHING, {"recall": 0, "precision": math.nan, "lesion_precision": math.nan}),
        (NOTHING, SQUARE, {"recall": math.nan, "precision": 0, "lesion_recall": math.nan}),
    ],
)
def test_empty_masks(reference, prediction, expected, class_masks):
    masks = class_masks(reference, prediction, (1.0, 3.0))
    found = {name: METRICS[name].value(masks) for name in expected}
    assert found == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if not m.of_probabilities])
@pytest.mark.parametrize("masks", [(SQUARE, NOTHING), (NOTHING, SQUARE)])
def test_one_empty_mask_is_never_best(name, masks, class_masks):
    if name in ("specificity", "accuracy"):
        pytest.skip("counts the pixels outside")
    value = METRICS[name].value(class_masks(*masks))
    assert math.isnan(value) or value != BEST[name]


@pytest.mark.parametrize("name", sorted(METRICS))
def test_pixels_that_do_not_count(name, class_masks):
    """Values are those of the field of view cut out, whatever is said outside of it."""
    random = np.random.default_rng(0)
    inside, probability = (slice(0, 12), slice(0, 12)), random.random((20, 20))
    counted = square(0, 12)
    found = METRICS[name].value(
        class_masks(
            SQUARE | square(14, 18), square(5, 11), counted=counted, probability=probability
        )
    )
    cut = class_masks(SQUARE[inside], square(5, 11)[inside], probability=probability[inside])
    assert found == pytest.approx(METRICS[name].value(cut))


@pytest.mark.parametrize("sides", [(2, 2, 2), (4, 4, 4), (5, 2, 4), (1, 4, 4)])
def test_the_skeleton_of_a_compact_part_is_not_lost(sides, class_masks):
    """scikit-image erases these boxes; a lesion that nothing found would not count."""
    box = np.pad(np.ones(sides, bool), 2)
    line = np.zeros_like(box)
    line[0, 0] = True
    assert METRICS["cldice"].value(class_masks(box, box)) == 1
    assert METRICS["cldice"].value(class_masks(box | line, line)) < 1


def test_many_specks(class_masks):
    """scikit-image erases each of these cubes; one pixel of each stays."""
    specks = np.zeros((48, 96, 96), bool)
    for z, y, x in np.ndindex(12, 24, 24):
        specks[4 * z : 4 * z + 2, 4 * y : 4 * y + 2, 4 * x : 4 * x + 2] = True
    assert skeleton_of(specks).sum() == 12 * 24 * 24
    assert METRICS["cldice"].value(class_masks(specks, specks)) == 1


def test_surfaces_at_the_tolerance_are_within(class_masks):
    """NIfTI keeps 0.4 as the float32 0.40000000596: five pixels are 2.0000000298 mm."""
    spacing = (float(np.float32(0.4)),) * 2
    moved = class_masks(SQUARE, np.roll(SQUARE, 5, axis=1), spacing, tolerance=2.0)
    exact = class_masks(SQUARE, np.roll(SQUARE, 5, axis=1), (0.4, 0.4), tolerance=2.0)
    assert METRICS["nsd"].value(moved) == METRICS["nsd"].value(exact) > 0.9


def test_lesions_have_one_partner_each(class_masks):
    reference, prediction = np.zeros((2, 9, 20), bool)
    reference[1:3, 1:9], reference[6:8, 12:16] = True, True  # one long, one small
    prediction[1:3, 1:4], prediction[1:3, 5:9], prediction[5, 1] = True, True, True
    masks = class_masks(reference, prediction)
    assert (masks.lesions.matched, masks.lesions.true, masks.lesions.predicted) == (1, 2, 3)
    assert METRICS["lesion_f1"].value(masks) == pytest.approx(2 / 5)
    assert class_masks(reference, prediction, overlap=0.6).lesions.matched == 0


def test_as_many_lesions_as_can_be_are_paired(class_masks):
    """The wide prediction fits both: it is left to the one that nothing else fits."""
    reference, prediction = np.zeros((2, 4, 20), bool)
    reference[0, :6], reference[0, 8:14] = True, True
    prediction[0, 4:14], prediction[0, 0:2] = True, True
    assert class_masks(reference, prediction, overlap=0.1).lesions.matched == 2


def test_words_of_the_option():
    assert [m.name for m in chosen_metrics(["hd95", "dice", "dice"])] == ["dice", "hd95"]
    assert [m.name for m in chosen_metrics(["all"])] == list(METRICS)
    vessels = [m.name for m in chosen_metrics(["vessels", "hd95"])]
    assert {"cldice", "dice", "hd95"} <= set(vessels) < set(METRICS)
    assert all(any(kind in m.kinds for m in METRICS.values()) for kind in KINDS)


def test_an_unknown_metric():
    with pytest.raises(ConfigError) as caught:
        chosen_metrics(["hd59"])
    assert "--metrics: there is no metric 'hd59'. Did you mean 'hd95'?" in str(caught.value)
    assert "regions" in str(caught.value)


def test_each_says_what_it_is():
    for metric in METRICS.values():
        assert metric.definition[-1] == "."
        assert {"{", "}"}.isdisjoint(metric.defined(class_options(), "px"))


def class_options():
    from nnunet_vit.evaluation.class_masks import MetricOptions

    return MetricOptions()
