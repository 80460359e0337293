"""What a training shows: steps, the epoch's highest rate, and nnU-Net's warnings."""

import pytest
from small_training import SmallTraining

from nnunet_vit.training.callbacks.epoch_figures import EpochMeasuring
from nnunet_vit.training.callbacks.reporting import Reporting

pytestmark = pytest.mark.unit


@pytest.fixture
def training(tmp_path):
    """A training that is shown and nothing else."""
    made = SmallTraining(tmp_path, [Reporting(), EpochMeasuring()])
    made.build_network()
    return made


def train_epoch(training, *rates):
    training.tell("on_epoch_start")
    for pair in rates:
        for group, rate in zip(training.optimizer.param_groups, pair, strict=False):
            group["lr"] = rate
        training.tell("on_step_start")
    training.log_figures()
    training.current_epoch += 1
    training.tell("on_epoch_end")


def test_the_rate_is_the_epochs_highest_over_groups_and_steps(training):
    for group in training.optimizer.param_groups:
        group["lr"] = 0
    train_epoch(training, (0.001, 0.01), (0.003, 0.03), (0.002, 0.02))
    train_epoch(training, (0.02, 0.002), (0.01, 0.001))
    assert training.progress.rates == [(0, 0.03), (1, 0.02)]


def test_a_step_shows_its_loss_and_a_validation_step_none(training):
    training.tell("on_step_end", 0.25)
    training.tell("on_validation_step_end")
    assert training.progress.losses == [0.25, None]


def test_an_error_takes_the_bars_away(training):
    training.tell("on_exception", KeyboardInterrupt())
    assert training.progress.closed


@pytest.mark.parametrize(
    ("words", "warning"),
    [
        ("WARNING: Some cases are\nin both sets", "Some cases are in both sets"),
        ("WARNING! batch size is 1", "batch size is 1"),
        ("\nwarning: x", "x"),
    ],
)
def test_a_warning_of_nnunets_log_is_shown(training, words, warning):
    training.tell("on_log", words)
    assert training.progress.warnings == [warning]


@pytest.mark.parametrize("words", ["", "Epoch 1", "no WARNING", "WARNINGS"])
def test_what_is_no_warning(training, words):
    training.tell("on_log", words)
    assert training.progress.warnings == []


def test_a_validation_case_is_counted(training):
    training.tell("on_log", "predicting case_1")
    assert (training.progress.cases, training.progress.warnings) == (["case_1"], [])
