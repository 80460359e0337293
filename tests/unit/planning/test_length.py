"""How long a training may be: epochs and their steps for a number of hours."""

import re
from dataclasses import replace

import pytest

from nnunet_vit.config.train_section import ViTTrainConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.planning.length import length_for, length_of, time_of_folds
from nnunet_vit.planning.open_keys import EPOCHS, ITERATIONS, VALIDATIONS, OpenKeys
from nnunet_vit.planning.pace import START, Pace, Turn

pytestmark = pytest.mark.unit

ALL = OpenKeys(frozenset({EPOCHS, ITERATIONS, VALIDATIONS}))


def pace_of(step, validation=0.0, saving=0.0, tiles=0.0, drawing=0.0):
    """Return the pace of a GPU that never waits for data."""
    turns = (Turn(seconds, 0.0, 4, 8, shared=False) for seconds in (step, validation))
    return Pace(*turns, saving=saving, tiles=tiles, cases=0, steps=2, peak=None, drawing=drawing)


def planned(hours, pace, free=ALL, folds=1, **train):
    found = length_for(hours, pace, ViTTrainConfig(**train), free=free, folds=folds)
    return found.epochs, found.iterations, found.validations


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        (1000, (1000, 250, 50)),  # never more than nnU-Net's
        (80, (1000, 250, 50)),
        (8, (109, 250, 50)),  # fewer epochs first
        (1.6, (21, 250, 50)),
        (1, (20, 169, 33)),  # then fewer steps in each of them
        (0.1, (20, 15, 3)),
    ],
)
def test_epochs_come_before_steps(hours, expected):
    assert planned(hours, pace_of(1.0)) == expected


@pytest.mark.parametrize("hours", [0.06, 0.2, 0.9, 1.5, 3, 20, 70])
@pytest.mark.parametrize("saving", [0.0, 1.0])
def test_it_fits_and_nearly_fills_the_hours(hours, saving):
    pace = pace_of(1.0, validation=0.3, saving=saving, tiles=20.0)
    found = length_for(hours, pace, ViTTrainConfig(), free=ALL)
    assert found.seconds <= 3600 * hours
    assert found.seconds >= 0.7 * 3600 * hours
    again = length_of(
        pace,
        ViTTrainConfig(
            num_epochs=found.epochs,
            num_iterations_per_epoch=found.iterations,
            num_val_iterations_per_epoch=found.validations,
        ),
    )
    assert again == found


def test_short_epochs_have_time_for_their_pictures():
    given = {"num_iterations_per_epoch": 1, "num_val_iterations_per_epoch": 1}
    found = length_for(0.1, pace_of(0.1, drawing=0.6), ViTTrainConfig(**given), free=OpenKeys(
        frozenset({EPOCHS})))  # fmt: skip
    assert found.epochs * (0.1 + 0.6) + START == pytest.approx(0.95 * 360, rel=0.01)


def test_what_the_run_file_gives_is_kept():
    pace = pace_of(1.0)
    no_epochs = OpenKeys(ALL.keys - {EPOCHS})
    assert planned(1, pace, no_epochs, num_epochs=10) == (10, 250, 50)
    assert planned(0.5, pace, no_epochs, num_epochs=10) == (10, 168, 33)
    no_steps = OpenKeys(ALL.keys - {ITERATIONS})
    assert planned(1, pace, no_steps, num_iterations_per_epoch=1000) == (3, 1000, 200)
    no_validations = OpenKeys(ALL.keys - {VALIDATIONS})
    assert planned(0.1, pace, no_validations, num_val_iterations_per_epoch=7) == (20, 15, 7)


def test_the_time_of_all_folds():
    given = ViTTrainConfig(num_epochs=1, num_iterations_per_epoch=12)
    found = length_of(pace_of(1.0), given, folds=2)
    assert (found.seconds, found.of_all_folds) == (12 + START, 2 * (12 + START))
    assert time_of_folds(found) == "42 s for each of 2 folds, 84 s together"
    assert time_of_folds(length_of(pace_of(1.0), given)) == "42 s"


def test_hours_are_those_of_all_folds():
    assert planned(40, pace_of(1.0), folds=5) == planned(8, pace_of(1.0))


def test_data_that_the_network_waits_for_count():
    slow_data = replace(pace_of(0.0), training=Turn(0.1, 8.0, 8, 8, shared=False))
    assert planned(8, slow_data) == planned(8, pace_of(1.0))


def test_too_short_for_a_training():
    with pytest.raises(ConfigError) as caught:
        planned(0.02, pace_of(1.0))
    assert "20 epochs of 5 steps take 2 min on this machine, start and final" in str(caught.value)
    assert "Fix: --hours 0.04 or more" in str(caught.value)
    assert planned(0.04, pace_of(1.0)) == (21, 5, 1)


def test_given_numbers_that_take_longer():
    free = OpenKeys(frozenset())
    with pytest.raises(ConfigError, match="the run file gives both numbers") as caught:
        planned(1, pace_of(1.0), free, folds=2)
    assert re.search(r"for each of 2 folds, .* together on this machine", str(caught.value))
    hours = float(caught.value.fix.rsplit(" ", 1)[1].rstrip("."))
    assert planned(hours, pace_of(1.0), free, folds=2) == (1000, 250, 50)
    assert 2 * (250_000 + START) / 3600 / hours == pytest.approx(0.95, rel=1e-3)
