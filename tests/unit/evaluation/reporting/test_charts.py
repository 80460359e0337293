"""Axes with round numbers, and charts whose geometry lies inside the picture."""

import re

import numpy as np
import pytest

from nnunet_vit.evaluation.reporting.axes import axis_of
from nnunet_vit.evaluation.reporting.charts import BOTTOM, LEFT, RIGHT, TOP, Chart, Series
from nnunet_vit.evaluation.reporting.curve_charts import curve_charts
from nnunet_vit.evaluation.reporting.dice_charts import reliability_chart
from nnunet_vit.evaluation.reporting.fold_history import FoldHistory

pytestmark = pytest.mark.unit


def texts(axis):
    return [text.replace("\N{MINUS SIGN}", "-") for _, text in axis.marks()]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1], ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ([-0.37, 0.63], ["-0.4", "-0.2", "0", "0.2", "0.4", "0.6", "0.8"]),
        ([3, 3], ["0", "2", "4", "6"]),
        ([0, 0], ["-1", "-0.5", "0", "0.5", "1"]),
        ([0, 2e-6], ["0", "5e-7", "1e-6", "1.5e-6", "2e-6"]),
        ([100, 900000], ["0", "2e5", "4e5", "6e5", "8e5", "1e6"]),
    ],
)
def test_numbers_beside_an_axis(values, expected):
    assert texts(axis_of("x", values)) == expected


def test_powers_of_ten():
    axis = axis_of("size", [12, 30000], log=True)
    assert texts(axis) == ["10", "100", "1000", "10000", "1e5"]
    assert axis.share(10) == 0 and axis.share(1000) == 0.5
    assert texts(axis_of("size", [7], log=True)) == ["1", "10"]


def test_values_beyond_the_axis_stay_in_the_picture():
    axis = axis_of("Dice", (), low=0.0, high=1.0)
    assert (axis.share(-3), axis.share(7)) == (0, 1)


def test_lines_lie_in_the_plot():
    axis = axis_of("y", [-5, 17])
    series = Series("a", [(0, -5), (3, 17), (10, 4)])
    chart = Chart("n", "t", "s", axis_of("x", [0, 10]), axis, [series])
    numbers = [float(n) for n in re.findall(r"[-\d.]+", chart.path(series))]
    assert all(LEFT <= x <= RIGHT for x in numbers[::2])
    assert all(TOP <= y <= BOTTOM for y in numbers[1::2])
    assert chart.path(series).startswith(f"M{LEFT},")


def history(fold, **columns):
    epochs = [
        {"epoch": float(number), **{k: v[number - 1] for k, v in columns.items()}}
        for number in (1, 2)
    ]
    return FoldHistory(fold, "history.csv", epochs)


def test_a_fold_alone_shows_classes_and_parts_of_the_time():
    known = {"dice": [0.5, 0.6], "dice:disc": [0.4, 0.5], "dice:cup": [0.6, 0.7]}
    one = history("0", seconds=[3.0, 4.0], data_seconds=[1.0, 2.0], **known)
    dice, time = curve_charts("run", [one])
    assert [series.name for series in dice.series] == ["mean", "disc", "cup"]
    assert [series.name for series in time.series] == ["whole epoch", "data"]
    assert dice.summary == "mean: from 0.5 to 0.6; disc: from 0.4 to 0.5; cup: from 0.6 to 0.7."


def test_folds_have_colours_and_share_a_rate():
    rates = {"learning_rate": [0.1, 0.05]}
    folds = [history(fold, train_loss=[1.0, 0.5], **rates) for fold in "01"]
    loss, rate = curve_charts("run", folds)
    assert [(one.name, one.style) for one in loss.series] == [
        ("training, fold 0", "c0"), ("training, fold 1", "c1"),
    ]  # fmt: skip
    assert [one.name for one in rate.series] == ["every fold"]


def test_no_epochs_no_charts():
    assert curve_charts("run", []) == []


def test_reliability_tells_the_error_of_all_pixels():
    counts = np.zeros((3, 15))
    counts[:, 1], counts[:, 13] = (100, 10, 20), (300, 270, 240)
    chart = reliability_chart("run", {"disc": counts})
    assert chart.series[0].points == [(0.1, 0.2), (0.9, 0.8)]
    assert chart.summary == "disc: calibration error over all pixels 0.1000."
    assert reliability_chart("run", {}) is None
