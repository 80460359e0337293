"""The labels of dataset.json: what nnU-Net takes is taken, what fails later is refused first."""

import pytest
from nnunetv2.utilities.label_handling.label_handling import LabelManager

from nnunet_vit.data.dataset import class_names
from nnunet_vit.data.label_rules import are_regions, label_faults

pytestmark = pytest.mark.unit

BACKGROUND = {"background": 0}


def refusal(labels, order=None):
    (fault,) = label_faults(labels, order)
    return fault.problem, fault.fix


@pytest.mark.parametrize(
    ("labels", "order", "names"),
    [
        ({"disc": 1, "cup": 2}, None, ["disc", "cup"]),
        ({"cup": 2, "disc": 1}, None, ["disc", "cup"]),
        ({"disc": "1", "cup": "2"}, None, ["disc", "cup"]),
        ({"disc": 1.0}, None, ["disc"]),
        ({"cup": [2], "disc": [1]}, None, ["disc", "cup"]),
        ({"disc": 1, "ignore": 2}, None, ["disc"]),
        ({"disc": 1, "ignore": None}, None, ["disc"]),
        ({"whole": [1, 2], "core": 2}, [1, 2], ["whole", "core"]),
        ({"whole": [1, 2], "core": [2], "ignore": 3}, [1, 2], ["whole", "core"]),
        ({"all": [1, 2, 3], "masses": [2, 3], "cyst": 2}, [1, 3, 2], ["all", "masses", "cyst"]),
    ],
)  # fmt: skip
def test_labels_that_nnunet_takes(labels, order, names):
    labels = BACKGROUND | labels
    assert label_faults(labels, order) == []
    manager = LabelManager(labels, order)
    assert manager.has_regions == are_regions(labels)
    assert class_names({"labels": labels}) == names


def test_two_names_for_one_value_are_both_named():
    text, fix = refusal(BACKGROUND | {"ring": 1, "core": 1})
    assert text == (
        "labels has ring and core for the same pixels: each is 1. (nnU-Net itself would plan with "
        "it and fail in training.)"
    )
    assert fix == "one name per number; a class that holds others is a region, a list of numbers."


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"ring": 1, "core": [1]}, "ring and core"),
        ({"a": [1, 2], "b": [2, 1], "c": 2}, "a and b"),
        ({"other": 0, "disc": 1}, "background and other"),
    ],
)
def test_the_same_pixels_written_otherwise(labels, names):
    text, _ = refusal(BACKGROUND | labels, [1, 2, 2])
    assert text.startswith(f"labels has {names} for the same pixels")


@pytest.mark.parametrize(
    ("labels", "text", "fix"),
    [
        (
            {"thing": 255},
            "labels are 0, 255; they must be 0, 1, 2, … without gaps.",
            "255 becomes 1, in dataset.json and in the label files.",
        ),
        (
            {"a": 1, "b": 3, "c": 7},
            "labels are 0, 1, 3, 7; they must be 0, 1, 2, … without gaps.",
            "3 becomes 2, 7 becomes 3, in dataset.json and in the label files.",
        ),
        (
            {"a": -1},
            "labels are -1, 0; they must be 0, 1, 2, … without gaps.",
            "-1 becomes 1, in dataset.json and in the label files.",
        ),
        (
            {"a": -1, "b": 1},
            "labels are -1, 0, 1; they must be 0, 1, 2, … without gaps.",
            "-1 becomes 2, in dataset.json and in the label files.",
        ),
        (
            {"a": 2, "ignore": 1},
            "labels has ignore as 1; it must be the highest label, a number.",
            "2 becomes 1, ignore becomes 2, in dataset.json and in the label files.",
        ),
        (
            {"a": 2, "ignore": 3},
            "labels are 0, 2; they must be 0, 1, 2, … without gaps.",
            "2 becomes 1, ignore becomes 2, in dataset.json and in the label files.",
        ),
        (
            {"a": 2, "ignore": 255},
            "labels has ignore as 255; it must be the highest label, a number.",
            "2 becomes 1, ignore becomes 2, in dataset.json and in the label files.",
        ),
        (
            {},
            "labels has no class but the background: nothing to learn.",
            'labels: {"background": 0, "NAME": 1, …}',
        ),
        (
            {"a": 1, "ignore": 1},
            None,
            None,
        ),
        (
            {"a": 1, "ignore": 255},
            "labels has ignore as 255; it must be the highest label, a number.",
            '"ignore": 2, in dataset.json and in the label files.',
        ),
        (
            {"a": 1, "ignore": "2"},
            "labels has ignore as '2'; it must be the highest label, a number.",
            '"ignore": 2, in dataset.json and in the label files.',
        ),
        (
            {"a": 1.5},
            "labels has 'a': 1.5: not an integer.",
            "one integer per class, or a list of them per region.",
        ),
        (
            {"a": [], "b": "x", "c": None},
            "labels has 'a': [], 'b': 'x', 'c': None: not an integer.",
            "one integer per class, or a list of them per region.",
        ),
    ],
)
def test_labels_that_would_fail_later(labels, text, fix):
    if text is None:
        assert len(label_faults(BACKGROUND | labels, None)) == 2
        return
    assert refusal(BACKGROUND | labels) == (text, fix)


@pytest.mark.parametrize("background", [1, [0], "1"])
def test_a_background_that_is_not_0(background):
    faults = label_faults({"background": background, "a": 2}, None)
    assert faults[0].problem == f"labels has background as {background!r}; it must be 0."


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (None, "regions_class_order is missing: one label per region, in the order whole, core."),
        ([1], "regions_class_order has 1 labels for 2 regions."),
        (
            [1, 1],
            "regions_class_order has 1 for core [2]: the label that a region gets in a mask must "
            "be one of its own. (This rule is ours; nnU-Net would write wrong masks.)",
        ),
    ],
)
def test_the_order_of_regions(order, text):
    assert refusal(BACKGROUND | {"whole": [1, 2], "core": 2}, order)[0] == text


def test_regions_written_as_texts():
    text, fix = refusal(BACKGROUND | {"whole": ["1", "2"], "core": 2}, [1, 2])
    assert (text, fix) == (
        "labels has texts for whole; regions need numbers.", "take the quotes away."
    )  # fmt: skip
