"""What bounds a step: the network, its batches, or both where they share the processors."""

import pytest

from nnunet_vit.planning.pace import Pace, Turn

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("network", "batch", "workers", "shared", "seconds", "by_data"),
    [
        (1.0, 2.0, 4, False, 1.0, False),  # a batch every 0.5 s
        (0.2, 2.0, 4, False, 0.5, True),
        (0.2, 2.0, 100, False, 0.25, True),  # 8 processors run no more workers than 8
        (1.0, 2.0, 4, True, 1.25, False),  # an eighth of the batch's work delays the network
        (0.1, 2.0, 1, True, 2.0, True),
        (1.0, 2.0, 0, True, 3.0, False),  # no workers: one after the other
    ],
)
def test_a_step(network, batch, workers, shared, seconds, by_data):
    turn = Turn(network, batch, workers, 8, shared)
    assert turn.seconds == pytest.approx(seconds)
    assert turn.bound_by_data is by_data


def test_an_epoch_has_more_than_its_steps():
    turns = (Turn(seconds, 0.0, 4, 8, shared=False) for seconds in (1.0, 0.5))
    pace = Pace(*turns, saving=2.0, tiles=9.0, cases=1, steps=2, peak=None, drawing=0.7)
    assert pace.epoch(10, 4) == pytest.approx(10 + 2 + 2.0 + 0.7)
