"""Metrics that packages bring."""

from functools import partial

import numpy as np
import pytest
from outside_packages import documented, hook_that_returns

from nnunet_vit.errors import ConfigError, PluginError
from nnunet_vit.evaluation.metrics import chosen_metrics

pytestmark = pytest.mark.unit

MISSED = documented("metrics.md", "A metric of your own")


returning = partial(
    hook_that_returns, "segmentation_metric", needs="nnunet_vit.evaluation.metric.Metric"
)


@pytest.fixture
def fake_metric(fake_head):
    """Install a metric for this test alone: `fake_metric("missed_area", source)`."""
    return partial(fake_head, distribution="x-metrics", group="nnunet_vit.metrics")


def test_the_metric_of_the_documentation(fake_metric, class_masks):
    fake_metric("missed_area", MISSED)
    reference, prediction = np.zeros((2, 6, 6), bool)
    reference[1:3, 1:4] = True
    dice, metric = chosen_metrics(["missed_area", "dice"])
    assert (dice.name, metric.title) == ("dice", "missed area")
    assert metric.value(class_masks(reference, prediction, (0.5, 3.0))) == 9
    assert "missed_area" in [each.name for each in chosen_metrics(["all"])]


def test_it_goes_on_the_list_of_what_there_is(fake_metric):
    fake_metric("missed_area", MISSED)
    with pytest.raises(ConfigError) as caught:
        chosen_metrics(["missed_areas"])
    assert "Did you mean 'missed_area'?" in str(caught.value)


def problem_of(name):
    with pytest.raises(PluginError) as caught:
        chosen_metrics([name])
    return caught.value.problem


def test_what_is_no_metric(fake_metric):
    fake_metric("three", returning("3"))
    needed = "segmentation_metric returned int; needed: nnunet_vit.evaluation.metric.Metric."
    assert problem_of("three").endswith(needed)
    fake_metric("mine", returning("Metric('other', 'x', 'y.', len)"))
    assert "returned the metric 'other'; needed: 'mine', the name of" in problem_of("mine")


def test_a_name_of_our_own(fake_metric):
    fake_metric("dice", returning("3"))
    told = "The metric 'dice' comes from nnunet-vit and from x-metrics 1.0."
    assert problem_of("dice") == told


def test_a_metric_that_fails_names_its_package(fake_metric, class_masks):
    fake_metric("mine", returning("Metric('mine', 'x', 'y.', lambda masks: masks.nothing)"))
    (metric,) = chosen_metrics(["mine"])
    square = np.ones((3, 3), bool)
    with pytest.raises(PluginError) as caught:
        metric.value(class_masks(square, square))
    assert "Plugin 'mine' (x-metrics 1.0): measure failed: AttributeError" in str(caught.value)


def test_a_broken_package_that_nobody_asked_for_is_left_out(fake_metric):
    fake_metric("mine", "import no_such_module\n")
    said = []
    names = [metric.name for metric in chosen_metrics(["regions"], said.append)]
    assert "dice" in names
    (line,) = said
    assert line.startswith("A metric is left out: Plugin 'mine' (x-metrics 1.0) failed")
    with pytest.raises(PluginError):
        chosen_metrics(["mine"])
